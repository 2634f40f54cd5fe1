// Package train trains a run: [Run] takes a configuration to a trained classifier, resumes
// a run that was stopped, or loads one that is complete.
//
// A configuration's way from the command to the compiled step, in the order of reading:
//
//	cmd/ngebm/train.go  trainRun makes the configuration from a preset and flags
//	run.go              Run validates it and opens the data; trainOrLoad loads or locks
//	../run.go           ngebm.NewRun: hash, folder, validation split, initial weights
//	trainer.go          prepare: batches, auxiliary inputs, the step; loop: steps, saves
//	auxiliary.go        SGLD samples, outliers; adversarial.go: adversarial examples
//	step.go             compile: the terms of Config.Objective, their gradients, Adam
//	inputs.go           what a step is given; multistep.go, sharding.go: many at once
//
// One turns back twice: from NewRun to run.go, and from Config.Objective to step.go. The
// other files are leaves: schedule.go (learning rate, ramp), ema.go, precision.go,
// evaluate.go, rollback.go (divergence), init_from.go (warm start), and stepper.go (steps
// outside of a run, for benchmarks).
//
// # What survives
//
// A run saves its state at least every [Options].SaveEvery: weights, optimizer, history, and
// what auxiliary inputs need. Every random choice follows from the seed and the step's
// number. So a run that was interrupted at any point (a canceled context, a killed process,
// power loss) resumes from its last checkpoint, and its final weights are bit-identical to
// those of an uninterrupted run on the same device. A checkpoint is written to a temporary
// file, synced, checksummed and renamed; a damaged one is skipped with a warning, and the
// previous one is used.
//
// Run takes no signals: cancel its context.
package train
