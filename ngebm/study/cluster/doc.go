// Package cluster has recipes, not code: an experiment of ngebm experiment on many machines,
// by the schedulers that people have.
//
//   - experiment.sbatch is an array of tasks of Slurm; a test runs it under a real one.
//   - indexed-job.yaml is an indexed Job of Kubernetes; a test checks its parts, none runs it.
//
// Each task has a part of the runs (-part i/n) and the folder of runs in common with the
// others, from which it resumes when it was killed. ngebm merge combines the parts.
package cluster
