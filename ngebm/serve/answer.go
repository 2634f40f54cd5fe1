package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"ngebm/ngebm"
	"ngebm/ngebm/predict"
)

// Decision is the answer to one input.
type Decision = predict.Decision

// requestError is an error that is reported to the client unchanged.
type requestError struct {
	status int
	text   string
}

func (e *requestError) Error() string { return e.text }

var (
	errTimeout = errors.New("the time is up")
	errBusy    = &requestError{http.StatusServiceUnavailable, "too many requests at the same time; send it again later"}
)

// explain returns what is reported to the client of an error. What the predictor says may name files; it
// goes to the log.
func (h *Handler) explain(err error) error {
	var known *requestError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return &requestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes; send fewer or smaller inputs", large.Limit)}
	case errors.Is(err, errFull):
		return &requestError{http.StatusServiceUnavailable, fmt.Sprintf("more than %d inputs wait or are read; send it again later", h.options.MaxWaiting)}
	case errors.Is(err, errClosed):
		return &requestError{http.StatusServiceUnavailable, "the service is shutting down; send it to another"}
	case errors.Is(err, errTimeout):
		return &requestError{http.StatusServiceUnavailable, fmt.Sprintf("no decision within %v; send it again later", h.options.Timeout)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &requestError{http.StatusRequestTimeout, "the body did not come in time; send it faster, or a smaller one"}
	case errors.Is(err, ngebm.ErrNotFinite):
		return &requestError{http.StatusUnprocessableEntity, "the network computes no finite numbers for an input: it is too far from the training data; send others"}
	case errors.Is(err, context.Canceled):
		return &requestError{statusClientClosed, "the client is gone"}
	}
	h.options.Logger.Error("prediction failed", "error", err)
	return &requestError{http.StatusInternalServerError, "the predictor failed; the log says why"}
}

// statusClientClosed is nginx's: nobody reads it but logs and metrics.
const statusClientClosed = 499

// fail writes an error.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var known *requestError
	if errors.As(err, &known) {
		status = known.status
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	write(w, status, map[string]string{"error": err.Error()})
}

// write writes JSON.
func write(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil { // a decision with a value that is not finite
		status, body = http.StatusInternalServerError, []byte(`{"error":"the decision has a value that is not finite"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // an error is one of the connection
}

// recorder keeps what the log and the metrics say of an answer.
type recorder struct {
	http.ResponseWriter
	status, inputs int
}

// WriteHeader is called once.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		r.ResponseWriter.WriteHeader(status)
	}
}

// Write writes a header of 200 where there was none.
func (r *recorder) Write(body []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.ResponseWriter.Write(body)
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
