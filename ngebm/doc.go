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
// # The authors' flags
//
// What train_wrn_ebm.py of NG-EBM (github.com/chrissweet/NG-EBM, a fork of JEM) takes, with its
// default, and what it is here, as -set or [Config.Set] takes it. The preset cifar10-wrn28-10
// with the method ng-ebm-paper is the command of the authors' README.
//
//	--energy_variance_loss 1         beta=1
//	--energy_derivative_loss 1       gamma=1
//	--p_y_given_x_weight 1           alpha=1
//	--p_x_weight 0                   jem.weight=0
//	--p_x_y_weight 0                 jem.joint=0
//	--optimizer adam (or sgd)        optimizer=adam; sgd is optimizer=sgd,momentum=.9 (theirs is fixed)
//	--lr 1e-4                        learning_rate=1e-4
//	--weight_decay 0                 weight_decay=0; coupled to the gradient of both
//	--warmup_iters -1                warmup=0; 1000 in the README. Step k of n, from 1, has the rate
//	                                 times k/n here and (k-1)/n there
//	--decay_epochs 160 180           schedule=step,decay_epochs=[160,180]
//	--decay_rate .3                  decay=.3
//	--batch_size 64, --n_epochs 200  batch=64, epochs=200 (the paper has 150)
//	--sigma .03                      augment.noise=.03; theirs is added to test images, too
//	--n_valid 5000                   validation=5000
//	--depth 28, --width 10           net=wrn-28-10
//	--norm instance|layer|act|batch  net=wrn-28-10+instance …, and +group; batch only with beta=0,gamma=0
//	--dropout_rate 0                 net=wrn-28-10+dropout.3 for .3, after each block's first convolution
//	--n_steps 20, --sgld_lr 1        jem.steps=20, jem.step=1
//	--sgld_std .01                   jem.noise=.01
//	--buffer_size 10000              jem.buffer=10000
//	--reinit_freq .05                jem.restart=.05
//	--class_cond_p_x_sample          jem.conditional=true
//	--uncond, --clf_only             none
//	--labels_per_class -1            none: all images have labels
//
// Nesterov's momentum, AdamW, clip_norm and other schedules are not theirs.
//
// Package train has the training loop, study trains many runs and compares them, measure
// makes the report of one, predict makes decisions, and serve answers HTTP requests with them.
package ngebm
