// Package device opens the device that computes: XLA on an NVIDIA GPU or on the
// CPU, or GoMLX's pure-Go backend where XLA cannot be had.
//
// Usage:
//
//	d, err := device.Open("", nil)  // automatic; or "cpu", "cuda", "go", "xla:cpu,…"
//	if err != nil { … }             // one line: the value, what was tried, the remedy
//	defer d.Close()
//	exec := graph.MustNewExec(d.Backend, …)
//	fmt.Println(d)                  // XLA on CPU, 1 device, plugin /…/pjrt_c_api_cpu_plugin.so (…)
//
// # Choice
//
// A word given to [Open] (a command's -device flag) beats $GOMLX_BACKEND, which
// is GoMLX's own variable and takes its own syntax, which beats $NGEBM_DEVICE,
// which takes the same words as Open. With none of them the choice is automatic:
// CUDA where there is an NVIDIA GPU and its plugin is found, else XLA on the
// CPU, else pure Go; Device.Warning, and Options.Progress, say why. Whatever was asked
// for by name is opened or is an error; only the automatic choice falls back.
//
// [Open] follows the environment, for programs that a person starts. A service calls
// [OpenContext], which follows its options alone:
//
//	d, err := device.OpenContext(ctx, device.Options{Device: device.CPU, Offline: true})
//
// A device may be closed at any time, see [Device.Close].
//
// # The CPU plugin
//
// XLA comes as a PJRT plugin, a shared library of some 270 MB that is not part
// of a Go build. [Plugin] finds one that is installed or gets one on first use,
// see there. A plugin is opened by its absolute path, so that the environment
// needs no change and go-xla's automatic installer never runs. Two things reach
// the whole process all the same: go-xla sets TF_CPP_MIN_LOG_LEVEL to 3 when the
// program starts, where it is unset, which keeps XLA's C++ log lines out of
// terminals and notebooks (errors arrive as Go errors); and opening CUDA from
// jax's packages adds --xla_gpu_cuda_data_dir to XLA_FLAGS. What else a person has
// set there is XLA's to obey; a flag that the plugin does not know, at which it would
// end the process, is an error of [Open]. A program that trains on the CPU is faster
// with package heap, which tunes the C heap.
//
// # CUDA
//
// The CUDA plugin comes from go-xla's folders or from jax's packages for the
// python3 on the PATH (pip install "jax[cuda13]"); it is not downloaded here,
// being several GB with NVIDIA's libraries.
package device
