package serve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"ngebm/ngebm/nets"
)

// received is what has come of a request's body, for which room is taken.
type received struct {
	content []byte
	release func()
}

// receive reads the whole body. Until it is there a request takes room for the bytes that have come and
// none of MaxRequests, so that slow clients keep nobody out; one that sends nothing for a while is given up.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (received, error) {
	limit, control := h.options.MaxBody, http.NewResponseController(w)
	if r.ContentLength > limit {
		return received{release: func() {}}, &http.MaxBytesError{Limit: limit}
	}
	end := time.Now().Add(h.options.Timeout)
	deadline := func(t time.Time) { _ = control.SetReadDeadline(t) } // not possible without a connection, as in tests
	body := &roomedBody{Reader: http.MaxBytesReader(w, r.Body, limit), room: h.bodies, await: func() {
		if next := time.Now().Add(h.stall); next.Before(end) {
			deadline(next)
		} else {
			deadline(end)
		}
	}}
	content, err := io.ReadAll(body)
	if err != nil { // the deadline stays: the server reads what is left before it answers
		return received{release: body.release}, unread(err, "the body cannot be read")
	}
	deadline(end.Add(h.options.Timeout)) // at end itself, a request whose time is up would look like a client that left
	return received{content, body.release}, nil
}

// inputRoom is the room that a request takes for its inputs, each before it is decoded: a small file may be
// a large input.
type inputRoom struct {
	of    *semaphore.Weighted
	taken int64
}

func (r *inputRoom) take() error {
	if !r.of.TryAcquire(1) {
		return errFull
	}
	r.taken++
	return nil
}

func (r *inputRoom) release() { r.of.Release(r.taken) }

// read returns the inputs of a request.
func (h *Handler) read(ctx context.Context, contentType string, body received, room *inputRoom) ([][]float32, error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return nil, bad("the Content-Type %.100q cannot be parsed; leave it out for an image file", contentType)
	}
	content := bytes.NewReader(body.content)
	switch kind {
	case "application/json":
		return h.readJSON(content, room)
	case "multipart/form-data":
		return h.readForm(ctx, multipart.NewReader(content, parameters["boundary"]), room)
	}
	if bytes.HasPrefix(body.content, []byte("{")) {
		return nil, bad("this is JSON, but the Content-Type is %.100q; it must be application/json", kind)
	}
	input, err := h.readImage(ctx, content, room)
	return [][]float32{input}, err
}

// roomedBody takes room for the bytes that have come, not for those that are announced: clients that send
// nothing keep nobody out.
type roomedBody struct {
	io.Reader
	await func() // before each part
	room  *semaphore.Weighted
	taken int64
}

func (b *roomedBody) Read(p []byte) (int, error) {
	b.await()
	n, err := b.Reader.Read(p)
	if !b.room.TryAcquire(int64(n)) {
		return 0, errBusy
	}
	b.taken += int64(n)
	return n, err
}

func (b *roomedBody) release() { b.room.Release(b.taken) }

// bad is an error for the client.
func bad(format string, args ...any) error {
	return &requestError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// unread passes on an error of reading the body that is not the client's, and makes any other a bad
// request.
func unread(err error, format string, args ...any) error {
	var large *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	if errors.As(err, &large) || errors.Is(err, errBusy) || errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.Canceled) || errors.Is(err, errTimeout) {
		return err
	}
	// An error may repeat what it could not read, megabytes of digits.
	return bad("%s: %.500s", fmt.Sprintf(format, args...), strings.TrimPrefix(err.Error(), "data: "))
}

func (h *Handler) readImage(ctx context.Context, file io.Reader, room *inputRoom) ([]float32, error) {
	if h.images == nil {
		_, form := h.key()
		return nil, &requestError{http.StatusUnsupportedMediaType, `this network takes no image files: send ` + form + ` with Content-Type application/json`}
	}
	if err := room.take(); err != nil {
		return nil, err
	}
	input, err := h.images.Decode(ctx, file)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, unread(err, "the file cannot be used")
	}
	return input, nil
}

// readForm reads the image files of a form.
func (h *Handler) readForm(ctx context.Context, form *multipart.Reader, room *inputRoom) (inputs [][]float32, err error) {
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF && inputs == nil:
			return nil, bad("the form has no files")
		case err == io.EOF:
			return inputs, nil
		case err != nil:
			return nil, unread(err, "the form cannot be read")
		case len(inputs) == h.options.MaxBatch:
			return nil, h.tooMany()
		}
		input, err := h.readImage(ctx, part, room)
		if err != nil {
			var known *requestError
			if errors.As(err, &known) {
				err = &requestError{known.status, fmt.Sprintf("part %d (from 0), %.60q: %s", len(inputs), part.FormName(), known.text)}
			}
			return nil, err
		}
		inputs = append(inputs, input)
	}
}

func (h *Handler) tooMany() error {
	return &requestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d inputs; send them in several requests", h.options.MaxBatch)}
}

// key is the only one of the JSON, form is what the JSON must be.
func (h *Handler) key() (key, form string) {
	if h.options.Encoder != nil {
		return "rows", `{"rows": [{"column": value, …}, …]}`
	}
	return "inputs", `{"inputs": [[…], …]}`
}

// readJSON reads {"inputs": [N][values]} or {"rows": [N]{column: value}}, one after the other, so that
// a body of many empty lists takes no memory.
func (h *Handler) readJSON(body io.Reader, room *inputRoom) (inputs [][]float32, err error) {
	key, form := h.key()
	d := json.NewDecoder(body)
	d.UseNumber()
	for _, want := range []json.Token{json.Delim('{'), key, json.Delim('[')} {
		if got, err := d.Token(); err != nil {
			return nil, unread(err, "the JSON must be %s", form)
		} else if got != want {
			return nil, bad("the JSON has %.60q where %q is expected; it must be %s", fmt.Sprint(got), fmt.Sprint(want), form)
		}
	}
	for d.More() {
		if len(inputs) == h.options.MaxBatch {
			return nil, h.tooMany()
		}
		if err := room.take(); err != nil {
			return nil, err
		}
		input, err := h.readValues(d, len(inputs))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, input)
	}
	for _, want := range []json.Token{json.Delim(']'), json.Delim('}')} {
		if got, err := d.Token(); err != nil {
			return nil, unread(err, "the JSON must be %s", form)
		} else if got != want {
			return nil, bad("after the inputs the JSON has %.60q, not %q; it must be %s", fmt.Sprint(got), fmt.Sprint(want), form)
		}
	}
	if len(inputs) == 0 {
		return nil, bad("there are no inputs; the JSON must be %s", form)
	}
	if rest, err := io.ReadAll(io.MultiReader(d.Buffered(), body)); err != nil {
		return nil, unread(err, "the JSON cannot be read")
	} else if len(bytes.TrimSpace(rest)) > 0 {
		return nil, bad("the body continues after the JSON; send one object")
	}
	return inputs, nil
}

// readValues reads one input, the numbers themselves or a row that the encoder turns into them.
func (h *Handler) readValues(d *json.Decoder, i int) (input []float32, err error) {
	_, form := h.key()
	if h.options.Encoder == nil {
		if err := d.Decode((*numbers)(&input)); err != nil {
			return nil, unread(err, "input %d (from 0) is no list of numbers; the JSON must be %s", i, form)
		}
		return input, h.check(i, input)
	}
	row, err := h.readRow(d)
	if err != nil {
		return nil, unread(err, "row %d (from 0) cannot be used; the JSON must be %s", i, form)
	}
	if input, err = h.options.Encoder.Encode(row); err != nil {
		return nil, bad("row %d (from 0): %v", i, err)
	}
	return input, nil
}

// numbers is a list in JSON without null, which encoding/json would take for 0, and which is what
// JavaScript and others write for NaN.
type numbers []float32

// UnmarshalJSON reads the list.
func (n *numbers) UnmarshalJSON(list []byte) error {
	if bytes.HasPrefix(list, []byte("[")) && bytes.Contains(list, []byte("null")) {
		return errors.New("null is no number")
	}
	return json.Unmarshal(list, (*[]float32)(n))
}

// readRow reads the columns of one row that the encoder needs. Others are skipped, so that a row of many,
// or of nested ones, takes no memory.
func (h *Handler) readRow(d *json.Decoder) (map[string]any, error) {
	if got, err := d.Token(); err != nil || got != json.Delim('{') {
		return nil, cmp.Or(err, errors.New("it is no object"))
	}
	row := map[string]any{}
	var skipped json.RawMessage
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if !h.columns[name] {
			if err := d.Decode(&skipped); err != nil {
				return nil, err
			}
			continue
		}
		if _, twice := row[name]; twice {
			return nil, fmt.Errorf("column %q is there twice", name)
		}
		if row[name], err = d.Token(); err != nil {
			return nil, err
		}
		if _, nested := row[name].(json.Delim); nested {
			return nil, fmt.Errorf("column %q is a list or an object: give a number or a text", name)
		}
	}
	_, err := d.Token() // }
	return row, err
}

// check refuses an input that is none of the network's.
func (h *Handler) check(i int, input []float32) error {
	size := h.size()
	if len(input) != size {
		return bad("input %d (from 0) has %d numbers, but shape %v needs %d, flat", i, len(input), h.options.Shape, size)
	}
	for j, v := range input {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return bad("number %d of input %d (from 0) is %v; it must be finite", j, i, v)
		}
		if len(h.options.Shape) == 3 && (v < -1 || v > 1) {
			return bad("number %d of input %d (from 0) is %v; pixels are in [-1,1]: 2·value/255 - 1", j, i, v)
		}
	}
	return nil
}

// size is the number of values of one input.
func (h *Handler) size() int {
	return nets.Size(h.options.Shape)
}
