// Package ngebm says what a training run of a non-generative energy-based model is
// (NG-EBM; Piland et al., arXiv 2304.01297): its configuration, its history, its folder,
// and the classifier that results.
//
//	data.Open(cfg.Data) ──► train, validation and test sets
//	   │                      Config: one value, JSON, hashed; presets and methods by name
//	   ▼
//	train.Run(ctx, backend, cfg, options) ──► <runs>/<name>-<hash>/: checkpoints, history
//	   │                                         │ Load, LoadBest
//	   ▼                                         ▼
//	*Run: Config, History, Cost, Classifier ◄────┘
//	   │     Classifier: Logits, Probabilities, Energies, GradientNorms, Sample, Refine
//	   ▼
//	calibration | ood | attack ──► measure.Report ──► plots ──► notebook
//
// The energy is E(x) = logsumexp f(x), larger where the model finds x more likely; most of
// the field calls -E the energy. A run of a configuration that is complete is loaded, so
// that notebook cells, programs and people share runs by their configuration. The hash
// covers every setting that determines the result and the data's checksum, and no paths.
//
// Package train has the training loop, study trains many runs and compares them, measure
// makes the report of one, predict makes decisions, and serve answers HTTP requests with them.
package ngebm
