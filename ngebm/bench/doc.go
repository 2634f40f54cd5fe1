// Package bench times training steps, evaluation, an attack and the latency of a few images
// on this machine, and optionally the same work in PyTorch, JAX or ONNX Runtime.
//
// Each row of the table runs in a separate process, so that its peak memory can be
// measured. A peer takes turns with this program, so that other load on the machine slows
// both. It starts from the same weights and examples, which it reads from an NPZ file (ONNX
// Runtime: from the ONNX file of package onnx), and its losses show that it did the same
// work. It does it in the fastest of its ways, which are timed first, in another process: PyTorch
// with images as NCHW and channels_last, compiled and not (NG-EBM never: torch.compile knows no
// second derivatives); JAX with NHWC and NCHW. A way that fails, such as torch.compile without a C++
// compiler, is named below the table with its reason.
//
// # What a run costs
//
// Count passes over the network. A step of cross-entropy takes 3 (forward, back to the
// activations, back to the weights). A step of NG-EBM takes 6, because the gradient norm
// is differentiated again. A step of JEM takes 46: two in each of its 20 SGLD steps, and
// 6 for the losses of the batch and of the samples. Evaluation takes 1; ‖∂E/∂x‖ and a step
// of PGD take 2 each. Work grows linearly with the batch, the depth and the number of pixels,
// and with the square of the width.
// The memory of activations grows linearly with all of them.
//
// Computed, in GFLOP for one image of 32×32×3:
//
//	network                    weights  forward  cross-entropy  NG-EBM  JEM
//	wrn-10-2                   .30 M    .15      .44            .87     6.7
//	wrn-10-4                   1.2 M    .56      1.7            3.4     26
//	wrn-16-2                   .69 M    .26      .78            1.6     12
//	wrn-16-4                   2.7 M    1.0      3.0            6.1     47
//	wrn-28-10 (the paper's)    36 M     12       36             71      550
//
// # Measured on two CPU cores
//
// float32; medians of steps in turns; ratios are ours divided by the peer's, so that less than
// 1 is faster. PyTorch's peak memory is of a process that had tried all of its ways, which was
// the one that did the work then. On an AMD EPYC with AVX2 (Zen 1, 1 December 2026), in two runs or one against PyTorch
// (eager, channels_last), and in turns with the same program with XLA's convolutions and gradients of kernels in place of
// this module's (package device), in three runs or two:
//
//	step                                ms        PyTorch 2.15  JAX 0.10.2  XLA's convolutions  peak MiB (PyTorch's, with XLA's)
//	wrn-10-2, 64 images, cross-entropy  370, 437  .75, .76      .17         .79                 420 (855, 586)
//	wrn-10-2, 64 images, NG-EBM         888, 870  .69, .73      .12         .75                 493 (1049, 802)
//	wrn-16-4, 32 images, cross-entropy  1098      .70                       .85                 584 (980, 936)
//	wrn-16-4, 32 images, NG-EBM         2134      .64                       .83                 706 (1273, 1309)
//
// 20 losses differ from PyTorch's by 5e-7 (wrn-16-4: 1.3e-5). A step of NG-EBM takes 1.94 (wrn-16-4), 1.99 and 2.40 times
// one of cross-entropy, on a machine that other machines' load slowed at times; in three later runs without a peer
// 2.01, 2.01 and 2.04 times.
//
// The figures that follow are of steps with XLA's convolutions, before package device had its own, which programs on several
// devices, in float64 and on other processors still have.
//
// On an AMD EPYC with AVX2 (Zen 3), against PyTorch and JAX in the fastest of their ways
// (PyTorch eager, channels_last but twice; JAX NHWC). PyTorch in five runs, the last three on
// 1 December 2026 on a processor that other machines' load slowed (rounds of cross-entropy from .63 to 1.13 in the
// third), JAX in two, and wrn-16-4 in one:
//
//	step                                ms        PyTorch 2.15              JAX 0.10.2  peak MiB (PyTorch's)
//	wrn-10-2, 64 images, cross-entropy  235-305   .94, 1.04, .93, .75, .74  .34, .20    570-770 (859-982)
//	wrn-10-2, 64 images, NG-EBM         510-619   .76, .82, .78, .71, .77   .21, .14    742-1099 (1038-1145)
//	wrn-16-4, 32 images, cross-entropy  594       .71                                   953 (1030)
//	wrn-16-4, 32 images, NG-EBM         1443      .66                                   1310 (1268)
//
// The same on an AMD EPYC with AVX-512 (29 November 2026), since kernels' gradients are computed
// by tiles (package convgrad), in two runs or three; JAX in one, shortly before:
//
//	step                                        ms        PyTorch 2.15    JAX 0.10.2  peak MiB (PyTorch's)
//	wrn-10-2, 64 images, cross-entropy          176-192   1.01, 1.00      .52         610, 615 (960, 970)
//	wrn-10-2, 64 images, NG-EBM                 374-389   .82, .85        .27         808, 789 (1148, 1116)
//	wrn-16-4, 32 images, cross-entropy          445-450   .84, .89, .90               932 (1121)
//	wrn-16-4, 32 images, NG-EBM                 898-917   .73, .71, .75               1337 (1304)
//
// 20 losses differ from PyTorch's by 1e-5 at most, those of NG-EBM with wrn-16-4 by 3e-5. One, 8
// and 32 images take 1.41, 7.1 and 25 ms, 1.8, 1.3 and 1.1 times ONNX Runtime's time; one takes
// 1.04 times PyTorch's.
//
// On two cores of an AMD EPYC of a later generation (Zen 5, 30 November 2026), in four runs, two and one with JAX.
// PyTorch's step of cross-entropy took 94 to 109 ms eager, and 134 in the one run in which compiled was
// the fastest when the ways were tried (.74):
//
//	step                                        ms        PyTorch 2.15  JAX 0.10.2  peak MiB (PyTorch's)
//	wrn-10-2, 64 images, cross-entropy          92-99     .74-.99       .45         542-604 (941-977)
//	wrn-10-2, 64 images, NG-EBM                 206-218   .63-.75       .20         783-809 (1093-1113)
//	wrn-16-4, 32 images, cross-entropy          227, 220  .79, .85                  918, 926 (1168, 1123)
//	wrn-16-4, 32 images, NG-EBM                 488, 488  .69, .70                  1298, 1337 (1382, 1348)
//
// 20 losses differ from PyTorch's by 5e-7 (wrn-16-4: 5e-6 and 1.3e-5). One, 8 and 32 images take .82, 3.6 and
// 18 ms, 2.2, 1.3 and 1.5 times ONNX Runtime's time; one takes .97 and 1.02 times PyTorch's, 8 take 1.3 times
// that of compiled PyTorch. A step of NG-EBM takes 2.1 to 2.3 times one of cross-entropy.
//
// On two cores of an Intel Xeon (Emerald Rapids, 29 November 2026), which other machines' load slowed and
// quickened by a third, PyTorch's step from 137 to 207 ms within minutes. In four runs, two and one:
//
//	step                                ms         PyTorch 2.15            JAX 0.10.2  peak MiB (PyTorch's)
//	wrn-10-2, 64 images, cross-entropy  183-231    1.07, 1.11, 1.17, 1.19  .40, .42    563-599 (952-956)
//	wrn-10-2, 64 images, NG-EBM         389-525    .75, .78, .79, .81      .15, .16    783-1080 (1082-1170)
//	wrn-16-4, 32 images, cross-entropy  511, 574   .97, 1.05                           877, 903 (1140, 1125)
//	wrn-16-4, 32 images, NG-EBM         990, 1072  .81, .74                            1280, 1274 (1338, 1306)
//
// Kernels' gradients take half of a step of cross-entropy there (package convgrad). 20 losses differ
// by 7e-7 (wrn-16-4: 4e-6 and 1.9e-5). One, 8 and 32 images take 2.0, 9.2 and 28 ms, 2.5, 1.6 and 1.15
// times ONNX Runtime's time.
//
// The MLP's steps, on an AMD EPYC with AVX-512, in one run:
//
//	step                                        ms    JAX 0.10.2  peak MiB
//	mlp-128-128, 128 points, cross-entropy      .21   .98         212
//	mlp-128-128, 128 points, NG-EBM             .45   .76         220
//
// GFLOP/s count the multiplications of the network, not those of the algorithm. JEM's step of wrn-10-2 took 3 s
// before most of these changes.
//
// The MLP's steps are so short that calling the device is a large part of them. So up to
// 64 steps are taken by one call, in a loop on the device, when training too; JAX's number
// is that of lax.scan. Training, with its batches, augmentation, history and checkpoints,
// reaches 1.00 of the speed of these bare steps with wrn-10-2 and .96 to .98 with the MLP.
//
// # Without training
//
// XLA's CPU computes a convolution of one image of 32x32 on one core, and several one after the other. With
// this module's convolutions wrn-10-2 takes, on the Zen 1 (1 December 2026, one run each):
//
//	                    ms     ONNX Runtime 1.32  PyTorch 2.15
//	1 image             2.16   .93 (.85-.99)      .46 (.41-.55)
//	8 images            15.8   .94 (.84-.97)      .79 (.46-.81), compiled
//	32 images           61.1   .94 (.94-.96)      .73 (.72-.85), compiled
//	256 images, logits  492    .94 (.80-.96)      .80 (.76-.85), compiled
//	256 images, ‖∂E/∂x‖ 1052                      .85 (.75-.85)
//
// On a Zen 3, which other machines' load slowed by half within the hour, with this module's code for one and 8
// images only, in turns:
//
//	           by XLA            by this module
//	1 image    2.18 (2.02-2.69)  .94, .96, 1.01, 1.04, 1.14, 1.16, 1.17   of ONNX Runtime's
//	8 images   1.26 (1.22-1.30)  .99, 1.02, 1.12, 1.13, 1.14, 1.15, 1.19  of ONNX Runtime's
//	32 images  1.33, 1.48, 1.54                                           of ONNX Runtime's
//	1 image                      .54                                      of PyTorch's
//	8 images                     .51                                      of PyTorch's
//
// Of one image's 1.1 ms (when it is quiet) .9 are convolutions, at 75 to 100 GFLOP/s a core; the rest is the call of
// the device and the last layers. The figures on the other processors above are by XLA's code, and those with
// AVX-512 are not measured since.
//
// What did not help with XLA's own code: halves of the rows or of the output channels (1.05 to 1.1 times as long
// as the whole), grouped convolutions (1.3 to 2.4), im2col (.85 to 1.2), Winograd's F(2x2, 3x3) as one batched product
// (.6 to 1.7), rows shared between two devices of the CPU (1.24), XLA's other schedulers and its fusions
// for XNNPACK and oneDNN (.97 to 1.4).
//
// # An XLA flag
//
// XLA's CPU plugin gives products of matrices and sums to YNNPACK. On the Zen 3, with XLA's convolutions,
// it was faster without, in two runs or three, the time with the flag by that without it:
//
//	XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type= ngebm bench
//
//	wrn-10-2, 64 images, cross-entropy, NG-EBM   .95-1.03, 1.01
//	wrn-10-2, 1, 8, 32 images                    .83-.90, 1.00, .81-.99
//	convnet, 32 digits, cross-entropy, NG-EBM    .85-.91, .84-.92
//	convnet, 256 digits, PGD                     .86
//	mlp-128-128, 128 points                      .96-1.05
//
// With Zen 5 a step of cross-entropy takes 1.2 times as long without, one image as long as with it. On the
// Intel Xeon it is slower without: 1.29 and .92 of PyTorch's time in place of 1.05 and .76 for steps
// of wrn-10-2, and 1.2 times as slow for one image and for 32. So programs here do not set it; and a plugin of
// another version ends the process where it does not know a flag.
//
// # Several devices
//
// train -devices N shares the batch of each step among N GPUs of one machine. XLA's
// partitioner divides the graph, so the variance is over the whole batch. JEM's chains
// are shared too. The number of devices is not part of the configuration: losses equal
// those of one device up to rounding (1e-6 in the tests, on four devices of XLA's CPU),
// and a run may be resumed with another number. -set precision=bfloat16 trains with
// activations and gradients in bfloat16 and weights in float32. Gradients are not
// accumulated over smaller batches: the variance of parts is not that of the whole.
//
// # What to expect of GPUs
//
// Computed, not measured. The paper's run (WRN-28-10, 45,000 images, 150 epochs) is 480
// PFLOP with NG-EBM and 3,700 with JEM. A GPU that reaches 40 % of an H100's 989 TFLOP/s
// in bfloat16 takes 20 minutes for NG-EBM (10 for cross-entropy) and 2.6 hours for JEM. One
// that reaches 40 % of the 495 TFLOP/s of TF32 takes twice as long. Eight GPUs take an
// eighth of that, plus an all-reduce of 146 MB a step, which is little for batches of 512.
// "ngebm bench -h" ends with the command that measures a GPU.
package bench
