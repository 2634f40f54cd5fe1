// Package serve answers HTTP requests with the decisions of a predictor: a class, or a refusal.
//
//	POST /predict   an image file, or form-data with several, or JSON
//	   │            {"inputs": [[…], …]}: [N][values] in the network's units; or, for tables,
//	   │            {"rows": [{"column": value, …}, …]}
//	   ▼
//	queue ──► batch: gathered while the one before is computed, and shortly after it
//	   ▼
//	Predictor.Predict ──► {"decisions": [{"class": …, "refused": …}, …]}, one an input
//
//	GET /healthz    200 while it takes requests, 503 once it is shutting down
//	GET /metrics    Prometheus's text format
//
// The score of a decision is a p-value, in (0,1]; a small one refuses. It is the share of validation
// examples that are no more usual than the input, by the least of N scores and times N
// (predict.Decision): twice that share with the default two scores.
//
// [Handler] is an [http.Handler] for a server of your own; [ListenAndServe] and [Serve] are a server
// with time-outs and a graceful shutdown. Bodies, inputs, requests in flight, waiting inputs and answers that are being sent are
// bounded; what is beyond is refused by 413 or 503 before memory is taken for it. Errors are JSON,
// {"error": "…"}, and say what was wrong and what to do; those of the server itself (a header that is
// too large, or none of HTTP) and of Prometheus's handler (503 for a fifth request at a time) are text.
//
// A client that sends slowly takes the memory of what it has sent, and no place among the requests in
// flight: its header must come within 5 s, a further part of its body every 5 s, and all of it within
// Options.Timeout. The number of connections is not bounded: a proxy does that.
//
// A service that stops answers all requests on connections that it has accepted. The system resets
// those that it has not, as it does for any server: their clients ask again.
//
// To ship it, copy the program (go build ./ngebm/cmd/ngebm, 42 MB), the run's folder with its
// predictor.json, and XLA's plugin ("ngebm devices" says where it is; 274 MB) to
// /usr/local/lib/go-xla. They need glibc 2.34 and no other system library, and no Python. The
// Dockerfile in this folder does this; it has been linted, not built.
//
// There is no authentication and no encryption: put it behind a proxy that has both before others
// can reach it. Requests that a browser sends for another site, followed links too, are refused; there
// is no CORS.
package serve
