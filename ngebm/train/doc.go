// Package train trains a run: [Run] takes a configuration to a trained classifier, resumes
// a run that was stopped, or loads one that is complete.
//
// The way of a configuration from the command to the compiled step, in reading order:
//
//	cmd/ngebm/train.go, config_flags.go  the configuration, from a preset and flags
//	run.go          Run: Config.Resolve checks the settings; openData; NewRun
//	../run.go       ngebm.NewRun: hash, folder, validation split, initial weights
//	trainer.go      trainOrLoad: load or lock; prepare: batches, auxiliary inputs, step
//	auxiliary.go    where a step has more than its batch: SGLD samples, outliers
//	step.go         compile: the terms of the objective, their gradients, Adam's update
//	../presets.go   Config.Objective: which terms these are (package energy has them)
//	inputs.go       what a step's executable is given; multistep.go: many steps a call
//
// A reader turns back four times: from config_flags.go, NewRun, auxiliary.go and Objective,
// each time to the caller. No other file is needed on the way: schedule.go has the learning
// rate, ema.go, precision.go and sharding.go change a step, adversarial.go makes adversarial
// examples; evaluate.go, rollback.go and init_from.go serve the loop in trainer.go, and
// stepper.go takes steps outside of a run, for benchmarks.
//
// # What survives
//
// A run saves its state when it stops, and meanwhile each time that both [Options].SaveEvery and
// 20 times what the last saving took have passed: weights, optimizer, history, and what
// auxiliary inputs need. Every random choice follows from the seed and the step's
// number. So a run that was interrupted at any point (a canceled context, a killed process,
// power loss) resumes from its last checkpoint, and its final weights are bit-identical to
// those of an uninterrupted run on one kind of machine. Another device, XLA or processor, or
// another number of them, may round differently: the notes of a run say what trained which part
// of it. A checkpoint is written to a temporary file, synced, checksummed and renamed; a
// damaged one is skipped with a warning, and the previous one is used.
//
// Run takes no signals: cancel its context.
//
// # Reliability
//
// A run's folder keeps its last two checkpoints and the best on validation data
// (ngebm.LoadBest). A checkpoint is plain data, no code. It is written in the same folder
// to a temporary file that only its owner may read, fsynced, checksummed (SHA-256) and
// renamed. The checksum covers the class names, the shape and the network in config.json.
// A run without one, made by an older version, loads with a warning. A corrupt checkpoint
// is skipped with a warning and the previous one is used; if none is intact, the error
// says which file to delete to restart training. A checkpoint with NaN or infinite weights
// or moments is refused.
//
// One process writes to a run at a time, under a lock that ends with the process. It
// removes only temporary files of killed processes. Neither the folder nor a file in it
// may be a link. Runs of older versions load; those of a newer version are an error that
// says so. An untrusted run is compared with its own headers, names and shapes before a
// network is built, within the bounds that .github/SECURITY.md lists. Numbers that
// training cannot write, such as an accuracy above 1, are refused.
//
// What was tested, on two cores (Debian 12, ext4 and tmpfs):
//
//	kill -9 at random times: 50 of       125 runs, tables and files resumed, and each fifth
//	training, 51 of measuring, 50 of     publishing repeated: byte for byte those of an
//	fetching, 50 of publishing           uninterrupted run; no lock held, no process left
//	                                     after 3 s
//	disk full or read-only, folder       an error that says what to do; earlier checkpoints
//	removed, ulimit -f, SIGINT,          intact; resumes once repaired
//	SIGTERM, in each of these
//	10,000 changed bytes in a            checkpoints all refused; formats with checksums
//	checkpoint and each data format      refused or read as before; no reader panics
//	10,000 training steps and 1,001      in loops (MLP) 203.6 MiB half-way, 202.3 at the end;
//	evaluations in one process           one by one (convnet) 238.1 and 236.6; no more device
//	                                     buffers or file handles
//	a run loaded and evaluated 200       205.9 and 205.6 MiB
//	and 400 times
//	2,000 unchanged and 200 changed      a kernel of 15 to 20 MB, 2 processes and 4 temporary
//	cells, 22 interrupts, 11 restarts    files after 100 cells and after 2,200
//
// All of this runs in a short form with every go test, and in full, in a quarter of an
// hour, with
//
//	NGEBM_LONG=1 go test -timeout 4h -run Long ./...
//
// .ci/fuzz 10m fuzzes each reader of untrusted bytes for ten minutes. Not covered: a disk
// that loses what it reported as synced; plain tar, names in zip, NPY and text files of
// yours, which have no checksum.
package train
