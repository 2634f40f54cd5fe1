package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// job is the inputs of one request, which are predicted in one batch.
type job struct {
	ctx       context.Context
	inputs    [][]float32
	arrived   time.Time
	done      chan struct{} // closed once decisions or err is set
	decisions []Decision
	err       error
}

// batcher gathers jobs into batches, which it predicts one after the other: a device computes one at
// a time, and the next gathers meanwhile.
//
// Clients that wait for an answer before they ask again would soon form two groups, one that is computed
// while the other waits. So the predictor, once free, waits for as many inputs as it has just seen, for at
// most a quarter of the time that they took (see patience). A client alone never waits for others.
type batcher struct {
	predictor Predictor
	delay     time.Duration
	largest   int // inputs in a batch
	most      int // inputs that wait
	timeout   time.Duration
	observe   func(inputs int)

	wake chan struct{} // of capacity 1: the queue has grown, or is closed
	idle chan struct{} // closed once run has returned

	mu      sync.Mutex
	queue   []*job
	waiting int // inputs in queue
	closed  bool

	// From the batch before; only run uses them.
	expected int       // inputs that it had, and that waited when it was done; 0 of a request alone
	until    time.Time // when to wait for as many no longer
}

// patience is the part of a batch's time for which the next waits for as many inputs.
const patience = 4

var (
	errFull   = errors.New("too many inputs wait")
	errClosed = errors.New("the service is shutting down")
)

func newBatcher(p Predictor, o Options, observe func(inputs int)) *batcher {
	b := &batcher{
		predictor: p, delay: o.Delay, largest: o.MaxBatch, most: o.MaxWaiting, timeout: o.Timeout, observe: observe,
		wake: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	go b.run()
	return b
}

// predict waits for the decisions on at most largest inputs, one for each, in order.
func (b *batcher) predict(ctx context.Context, inputs [][]float32) ([]Decision, error) {
	j := &job{ctx: ctx, inputs: inputs, arrived: time.Now(), done: make(chan struct{})}
	if err := b.add(j); err != nil {
		return nil, err
	}
	select {
	case <-j.done:
		return j.decisions, j.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (b *batcher) add(j *job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errClosed
	case b.waiting+len(j.inputs) > b.most:
		return errFull
	}
	b.queue, b.waiting = append(b.queue, j), b.waiting+len(j.inputs)
	b.signal()
	return nil
}

// length is the number of inputs that wait.
func (b *batcher) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting
}

func (b *batcher) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// close refuses further jobs and waits until those in the queue are done, or ctx is.
func (b *batcher) close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.signal()
	b.mu.Unlock()
	select {
	case <-b.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *batcher) run() {
	defer close(b.idle)
	for b.ready() {
		batch := b.take()
		if len(batch) == 0 {
			continue
		}
		b.decide(batch)
	}
}

// ready waits until a batch is full, or has waited long enough; false means that no more come.
func (b *batcher) ready() bool {
	for {
		b.mu.Lock()
		n, closed := b.waiting, b.closed
		var first time.Time
		if n > 0 {
			first = b.queue[0].arrived
		}
		b.mu.Unlock()
		if n == 0 && closed {
			return false
		}
		if n == 0 {
			<-b.wake
			continue
		}
		left := time.Until(first.Add(b.delay))
		if n < b.expected {
			left = max(left, time.Until(b.until))
		}
		if n >= b.largest || closed || left <= 0 {
			return true
		}
		select {
		case <-b.wake:
		case <-time.After(left):
		}
	}
}

// take removes a batch from the queue. Jobs that nobody waits for any more are left out.
func (b *batcher) take() (batch []*job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	inputs, taken := 0, 0
	for _, j := range b.queue {
		if n := len(j.inputs); j.ctx.Err() == nil {
			if inputs+n > b.largest {
				break
			}
			batch, inputs = append(batch, j), inputs+n
		}
		b.waiting -= len(j.inputs)
		taken++
	}
	clear(b.queue[:taken])
	b.queue = b.queue[taken:]
	return batch
}

// decide predicts a batch. Where that fails its halves are predicted, and so on, so that one request with
// inputs that the network cannot take does not fail the others.
func (b *batcher) decide(batch []*job) {
	inputs := inputsOf(batch)
	b.observe(len(inputs))
	began := time.Now()
	decisions, err := b.compute(inputs)
	b.expected, b.until = len(inputs)+b.length(), time.Now().Add(time.Since(began)/patience)
	if len(batch) == 1 && b.expected == len(inputs) { // a client alone, whose next request may be smaller
		b.expected = 0
	}
	b.answer(batch, decisions, err)
}

func inputsOf(batch []*job) (inputs [][]float32) {
	for _, j := range batch {
		inputs = append(inputs, j.inputs...)
	}
	return inputs
}

// compute is the predictor's answer within the time-out.
func (b *batcher) compute(inputs [][]float32) ([]Decision, error) {
	ctx, cancel := context.WithTimeout(context.Background(), b.timeout)
	defer cancel()
	decisions, err := safely(ctx, b.predictor, inputs)
	if err != nil && ctx.Err() != nil {
		err = errTimeout
	}
	return decisions, err
}

// answer gives a batch its decisions, or its halves theirs where it has an error.
func (b *batcher) answer(batch []*job, decisions []Decision, err error) {
	if err != nil && len(batch) > 1 && !errors.Is(err, errTimeout) { // which is no input's fault
		for _, half := range [][]*job{batch[:len(batch)/2], batch[len(batch)/2:]} {
			half = slices.DeleteFunc(slices.Clone(half), func(j *job) bool { return j.ctx.Err() != nil }) // nobody waits
			if len(half) > 0 {
				decisions, err := b.compute(inputsOf(half))
				b.answer(half, decisions, err)
			}
		}
		return
	}
	for _, j := range batch {
		if j.err = err; err == nil {
			j.decisions, decisions = decisions[:len(j.inputs)], decisions[len(j.inputs):]
		}
		close(j.done)
	}
}

// safely makes errors of a panic and of a wrong number of decisions.
func safely(ctx context.Context, p Predictor, inputs [][]float32) (decisions []Decision, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("serve: the predictor panicked: %v", panicked)
		}
	}()
	decisions, err = p.Predict(ctx, inputs)
	if err == nil && len(decisions) != len(inputs) {
		err = fmt.Errorf("serve: the predictor returned %d decisions on %d inputs", len(decisions), len(inputs))
	}
	return decisions, err
}
