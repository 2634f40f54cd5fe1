package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are those of one handler, in a separate registry.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   prometheus.Histogram
	batches   prometheus.Histogram
	decisions *prometheus.CounterVec
	inFlight  prometheus.Gauge
}

func newMetrics(waiting func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ngebm_requests_total", Help: "Requests to predict that were answered, by status."}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ngebm_request_seconds", Help: "Time from a request's header to its answer, of requests to predict.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30}}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ngebm_batch_inputs", Help: "Inputs that were predicted together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ngebm_decisions_total", Help: "Decisions, by whether the input was refused."}, []string{"refused"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ngebm_requests_in_flight", Help: "Requests to predict that are read, wait, or are answered."}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.batches, m.decisions, m.inFlight,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "ngebm_inputs_waiting", Help: "Inputs that wait for the predictor."}, waiting),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, refused := range []bool{false, true} { // so that both are there from the start
		m.decisions.WithLabelValues(strconv.FormatBool(refused))
	}
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, DisableCompression: true})
}

// observe counts a request to predict.
func (m *metrics) observe(r *http.Request, status int, took time.Duration) {
	if r.URL.Path == "/predict" {
		m.requests.WithLabelValues(strconv.Itoa(status)).Inc()
		m.seconds.Observe(took.Seconds())
	}
}

func (m *metrics) decided(d Decision) {
	m.decisions.WithLabelValues(strconv.FormatBool(d.Refused)).Inc()
}
