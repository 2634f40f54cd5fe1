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
// This package reads no environment variable and sets none, with two exceptions. While a
// plugin is loaded, TF_CPP_MIN_LOG_LEVEL is 3 unless it is set, which keeps XLA's C++ log
// lines out of terminals and notebooks (errors arrive as Go errors). And where compiled
// programs are kept, XLA_FLAGS and NPROC are part of their keys, since XLA itself reads
// them, see [Options].XLAFlags. This project's programs take their options from
// variables by package environment, and those that train on the CPU are faster with package
// heap, which tunes the C heap.
//
// # The CPU plugin
//
// XLA comes as a PJRT plugin, a shared library of some 270 MB that is not part
// of a Go build. The first of these is opened, by its absolute path, so that go-xla's automatic
// installer never runs:
//
//  1. [Options].Plugin, which names the file (-plugin);
//  2. the folders of [Options].PluginFolders (in this project's programs those of go-xla's
//     own variable $PJRT_PLUGIN_LIBRARY_PATH);
//  3. where go-xla installs for a user (~/.local/lib/go-xla on Linux,
//     ~/Library/Application Support/go-xla on macOS), and /usr/local/lib/go-xla;
//  4. this project's own folder ngebm/pjrt in the user's cache folder
//     ($XDG_CACHE_HOME or ~/.cache on Linux);
//  5. on x86-64 Linux, a Python wheel fetched with pip into 4, unless that is forbidden
//     ([Options].Offline).
//
// Only 4 and 5 need a home folder. pip verifies the SHA-256 of the wheel, and this package
// that of the plugin in it, before it is opened; both are pinned in the source, so that what
// runs is byte for byte what was tested with this version. A note next to the plugin records
// the file (inode, size, times) that was verified; any other file is verified again. According
// to its publisher, the first wheel is an unmodified build of the public zml/pjrt-artifacts.
// go-xla's own releases, which also exist for arm64 Linux and Apple silicon, are published
// without a checksum and not downloaded: the error says how to install one in 2.
//
// A plugin is code that runs with all your rights. Those of 1 to 3 are not verified. Any
// plugin is refused if a user other than you and root could replace it: if the file, its
// folder or a folder above belongs to somebody else, if a group or everyone may write to the
// file or its folder, or if everyone may write to a folder above.
//
// A plugin appears in the cache under its final name only once it is complete and synced.
// When two processes need it at the same time, one fetches it and the other waits.
//
// # Convolutions
//
// On x86-64 Linux, programs for one CPU device get code of this module in place of XLA's convolutions in float32:
// without dilations and groups, with kernels of up to 9 positions (3x3), with the bias, LeakyReLU and the sum of
// a residual block; and in place of the gradients of such kernels of 16, 32, 48 … output channels
// (internal/cpuconv; in C, called by XLA through its interface for that, FFI). XLA computes the convolution of one image on one
// core, and gradients of kernels slowly. The code needs AVX2, and uses AVX-512 where that is; elsewhere, and on
// several devices, XLA's own code runs. The two agree but for rounding, within a few 10⁻⁶ of the largest value.
// Package bench has times.
//
// # Compiled programs
//
// XLA compiles each graph for a second or so, in every process again: it is most of the time
// of a notebook's cell that loads a run. With [Options].CompileCache, a folder, compiled
// programs are kept (PJRT's serialized executables), and another process loads them in a
// hundredth of the time: the same machine code, and so the same results bit for bit.
// Processor seconds on an AMD EPYC with two busy cores, training steps:
//
//	                             compile   load   file
//	convnet, NG-EBM                 2.0     .04    .3 MB
//	WRN-16-4, cross-entropy        11       .3    1.5 MB
//	WRN-16-4, NG-EBM               17       .3    2.3 MB
//	WRN-28-10, cross-entropy       14       .5    2.6 MB
//	WRN-28-10, NG-EBM              19      1.0    4.1 MB
//
// A key is a SHA-256 over the program, the options to compile it with, the plugin's SHA-256
// (or, where it was not verified, the file's identity), the processor's model and features,
// the number of cores and devices, and XLA's flags. The folder is bounded to 512 MiB; what
// was used least recently goes first. It can be removed at any time.
//
// A compiled program is code that runs with all your rights. The folder is refused if a user
// other than you and root could write to it, and in it a file that is damaged, a link,
// another user's, or that others may write to; the program is compiled then. Only plugins of
// the CPU have a cache, on Linux, one plugin in a process. Programs that import this package
// keep nothing unless they name a folder ([DefaultCompileCache] is this project's own);
// those of this project do, and NGEBM_COMPILE_CACHE=0 turns that off.
//
// # CUDA
//
// The CUDA plugin comes from go-xla's folders or from jax's packages for the
// python3 on the PATH (pip install "jax[cuda13]"); it is not downloaded here,
// being several GB with NVIDIA's libraries. XLA finds ptxas and libdevice only in the
// folder that --xla_gpu_cuda_data_dir in XLA_FLAGS names: [Options].SetXLAFlags sets it.
package device
