package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Time-outs of [Serve] that do not depend on the options, and bounds on headers.
const (
	headerTimeout = 5 * time.Second // or Options.Timeout, if that is less
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10 // bytes
	// drainTime is how long a service that shuts down still takes requests: a proxy sees /healthz
	// fail, and answers ask clients to close their connections.
	drainTime = 500 * time.Millisecond
)

// ListenAndServe warms the handler up, so that no client waits for the compiler, and is [Serve] on a TCP
// address, as in "127.0.0.1:8080".
func ListenAndServe(ctx context.Context, address string, h *Handler) error {
	if err := h.Warm(ctx); err != nil {
		return errors.Join(err, h.closeSoon(ctx))
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve: %w; choose another address", errors.Join(err, h.closeSoon(ctx)))
	}
	return Serve(ctx, l, h)
}

// Serve answers requests that come to the listener until ctx ends. Then it closes the listener,
// answers the requests on all connections that were accepted, closes the handler, and returns nil.
// The error is that of the listener, or that requests took longer than their time-out and are lost.
func Serve(ctx context.Context, l net.Listener, h *Handler) error {
	timeout := h.options.Timeout
	busy := &connections{open: map[net.Conn]bool{}}
	server := &http.Server{
		Handler: h, ConnState: busy.changed,
		ReadHeaderTimeout: min(headerTimeout, timeout), ReadTimeout: timeout, WriteTimeout: 2 * timeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(h.options.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		server.Close()
		return fmt.Errorf("serve: %w", errors.Join(err, h.closeSoon(ctx)))
	case <-ctx.Done():
	}
	h.draining.Store(true)
	time.Sleep(drainTime)
	stopping, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 3*timeout, errTimeout)
	defer cancel()
	// Shutdown drops a request that it sees arrive, so it is called when none can. It closes the listener
	// too, which would be an error while the server still has it.
	l.Close()
	<-failed
	busy.wait(stopping)
	if err := cmp.Or(server.Shutdown(stopping), h.Close(stopping)); err != nil {
		server.Close()
		return fmt.Errorf("serve: requests were not answered in time and are lost: %w", err)
	}
	return nil
}

// closeSoon is Close with as much time as a request has, also where ctx has ended.
func (h *Handler) closeSoon(ctx context.Context) error {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.options.Timeout)
	defer cancel()
	return h.Close(closing)
}

// connections are those that have, or may have, a request to answer.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateNew || state == http.StateActive {
		c.open[conn] = true
	} else {
		delete(c.open, conn)
	}
}

// wait returns once there are none, or ctx ends.
func (c *connections) wait(ctx context.Context) {
	for ctx.Err() == nil {
		c.mu.Lock()
		n := len(c.open)
		c.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
