package fetch

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ngebm/data/files"
)

var (
	errRedirects = fmt.Errorf("the server redirects more than %d times", maxRedirects)
	errScheme    = errors.New("the server redirects to what is neither http nor https")
)

// redirect reports whether a redirect is followed.
func redirect(to *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= maxRedirects:
		return errRedirects
	case to.URL.Scheme != "http" && to.URL.Scheme != "https":
		return fmt.Errorf("%w: %q", errScheme, to.URL)
	}
	return nil
}

// ask requests the file from byte d.at on.
func (d *download) ask(ctx context.Context, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	// Else a .gz that a server labels as an encoding would come unzipped, and a
	// range would count other bytes.
	request.Header.Set("Accept-Encoding", "identity")
	if d.at > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.at))
		if v := recall(d.part).validator(address); v != "" {
			request.Header.Set("If-Range", v)
		}
	}
	response, err := d.client.Do(request)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which the caller names
	}
	if err != nil && (d.reached > 0 || !hopeless(err)) {
		err = &retryError{err: err}
	}
	return response, err
}

// hopeless distinguishes errors that another attempt will not fix from those of the
// moment: no such host, nobody listens there, a bad certificate.
func hopeless(err error) bool {
	var dns *net.DNSError
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	return errors.Is(err, errRedirects) || errors.Is(err, errScheme) || errors.As(err, &dns) || errors.As(err, &certificate) ||
		errors.As(err, &dial) && dial.Op == "dial"
}

// begin returns at which byte of a file of the given size (0 where it is not
// known, but at most bound) the answer to a request from byte asked on begins.
func begin(r *http.Response, size, bound, asked int64) (int64, error) {
	switch {
	case r.StatusCode == http.StatusOK:
		if r.ContentLength >= 0 && size > 0 && r.ContentLength != size {
			return 0, fmt.Errorf("the server has a file of %d bytes, but the published one has %d", r.ContentLength, size)
		}
		if r.ContentLength > bound {
			return 0, fmt.Errorf("the server has a file of %d bytes, more than the %d that the file may have", r.ContentLength, bound)
		}
		return 0, nil
	case r.StatusCode == http.StatusPartialContent && asked > 0:
		return asked, checkRange(r.Header.Get("Content-Range"), size, asked)
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable && asked > 0:
		return 0, &retryError{err: fmt.Errorf("the server answered %s to a request from byte %d on", r.Status, asked), restart: true}
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusRequestTimeout, r.StatusCode >= 500:
		return 0, &retryError{err: fmt.Errorf("the server answered %s", r.Status), after: retryAfter(r.Header.Get("Retry-After"), time.Now())}
	}
	return 0, fmt.Errorf("the server answered %s", r.Status)
}

// checkRange reads a Content-Range such as "bytes 100-199/200", which must
// begin at the byte that was asked for. The server may send less than all.
func checkRange(text string, size, asked int64) error {
	wrong := &retryError{err: fmt.Errorf("the server sent the range %q to a request from byte %d on", text, asked), restart: true}
	span, isBytes := strings.CutPrefix(text, "bytes ")
	span, total, slash := strings.Cut(span, "/")
	first, last, dash := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if !isBytes || !slash || !dash || err1 != nil || err2 != nil || from != asked || to < from {
		return wrong
	}
	if total == "*" {
		return nil
	}
	all, err := strconv.ParseInt(total, 10, 64)
	if err != nil || to >= all {
		return wrong
	}
	if size > 0 && all != size {
		return fmt.Errorf("the server has a file of %d bytes, but the published one has %d", all, size)
	}
	return nil
}

// retryAfter reads a Retry-After, which is in seconds or a time; what is neither
// counts as 0.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// source is where a part comes from.
type source struct {
	URL, ETag, LastModified string
}

// note keeps the source next to the part. Without it a download resumes all the
// same, and the checksum reports whether the parts fit.
func (s source) note(part string) {
	if text, err := json.Marshal(s); err == nil {
		_ = files.WriteFile(part+fromSuffix, text, 0o644)
	}
}

// recall reads what note wrote; a zero source where it cannot be read.
func recall(part string) (s source) {
	if text, err := files.ReadFile(part+fromSuffix, maxNote); err == nil && json.Unmarshal(text, &s) != nil {
		return source{}
	}
	return s
}

// maxNote bounds the size of the small files next to a file.
const maxNote = 1 << 16

// validator is what to send as If-Range, so that a server whose file has
// changed since sends all of it: a strong entity tag, else a date. What cannot be sent
// as a header is none.
func (s source) validator(address string) string {
	value := s.LastModified
	if strings.HasPrefix(s.ETag, `"`) {
		value = s.ETag
	}
	if s.URL != address || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return value
}
