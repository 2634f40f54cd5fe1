// Package device opens the device that computes: XLA on an NVIDIA GPU or on the
// CPU, or GoMLX's pure-Go backend where XLA is not available.
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
// [Options].Device names a device, and what is named is opened or is an error. Without a
// name the choice is automatic: CUDA where there is an NVIDIA GPU and its plugin is found,
// else XLA on the CPU, else pure Go; Device.Warning, and Options.Progress, say why. [Open]
// is short for the two options that most programs need; [OpenContext] takes all of them:
//
//	d, err := device.OpenContext(ctx, device.Options{Device: device.CPU, Offline: true})
//
// A device may be closed at any time, see [Device.Close].
//
// # The process around it
//
// This package reads no environment variable and sets none, with one exception: while a
// plugin is loaded, TF_CPP_MIN_LOG_LEVEL is 3 unless it is set, which keeps XLA's C++ log
// lines out of terminals and notebooks (errors arrive as Go errors). XLA itself reads
// XLA_FLAGS, see [Options].XLAFlags. This project's programs take their options from
// variables by package environment, and those that train on the CPU are faster with package
// heap, which tunes the C heap.
//
// # The CPU plugin
//
// XLA comes as a PJRT plugin, a shared library of some 270 MB that is not part
// of a Go build. [Plugin] finds one that is installed or gets one on first use,
// see there. A plugin is opened by its absolute path, so that go-xla's automatic
// installer never runs.
//
// # CUDA
//
// The CUDA plugin comes from go-xla's folders or from jax's packages for the
// python3 on the PATH (pip install "jax[cuda13]"); it is not downloaded here,
// being several GB with NVIDIA's libraries. XLA finds ptxas and libdevice only in the
// folder that --xla_gpu_cuda_data_dir in XLA_FLAGS names: [Options].SetXLAFlags sets it.
package device
