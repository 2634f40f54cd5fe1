package train

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/devmem"
)

// sharding is how a training step is shared by several devices: each holds all weights
// and takes an equal part of the batch. The graph is the one for a single device, with
// the whole batch; XLA's partitioner divides it and adds what the devices must tell
// each other. So every mean, the variance of the energy among them, is over the whole
// batch, and the losses are those of one device but for the order of their sums.
type sharding struct {
	devices int
	part    *distributed.ShardingSpec // the first axis is divided
	whole   *distributed.ShardingSpec // every device has all of it
}

// newSharding returns nil for one device.
func newSharding(backend compute.Backend, devices int, cfg ngebm.Config) (*sharding, error) {
	if backend == nil {
		return nil, errors.New("ngebm: the backend is nil; open one with device.Open")
	}
	switch has := int(backend.NumDevices()); {
	case devices < 0:
		return nil, fmt.Errorf("ngebm: %d devices cannot train; use 1 or more", devices)
	case devices <= 1:
		return nil, nil
	case backend.String() == pureGo:
		return nil, fmt.Errorf("ngebm: %d devices are asked for, but the pure-Go backend has one; use XLA", devices)
	case devices > has:
		return nil, fmt.Errorf("ngebm: %d devices are asked for, but this backend was opened with %d; use fewer, or open it with more: -devices, in Go device.Options.Devices", devices, has)
	case cfg.Batch%devices != 0:
		return nil, fmt.Errorf("ngebm: batch is %d, which %d devices cannot share evenly; make batch a multiple of %d, or use another number of devices", cfg.Batch, devices, devices)
	}
	mesh, err := distributed.NewDeviceMesh([]int{devices}, []string{"batch"})
	if err != nil {
		return nil, fmt.Errorf("ngebm: %w", err)
	}
	part, err := distributed.BuildSpec(mesh).S("batch").Done()
	if err != nil {
		return nil, fmt.Errorf("ngebm: %w", err)
	}
	return &sharding{devices, part, distributed.NewReplicatedShardingSpec(mesh)}, nil
}

// apply makes the step's executable one that all devices run.
func (s *sharding) apply(step *model.Exec, cfg ngebm.Config) {
	step.AutoSharding(s.part.Mesh).WithInputShardingSpecs(s.inputs(cfg)...).WithOutputShardingSpecs(s.whole)
}

// inputs says how each of the step's inputs is divided.
func (s *sharding) inputs(cfg ngebm.Config) []*distributed.ShardingSpec {
	return pack(cfg, stepInputs[*distributed.ShardingSpec]{
		x: s.part, labels: s.part, learningRate: s.whole, ramp: s.whole, emaDecay: s.whole,
		mixupPartner: s.part, mixupLambda: s.whole, extra: s.part, extraLabels: s.part,
	})
}

// shapes lists, device by device, the parts of inputs of the given shapes.
func (s *sharding) shapes(cfg ngebm.Config, whole []shapes.Shape) []shapes.Shape {
	var parts []shapes.Shape
	for i, spec := range s.inputs(cfg) {
		part := whole[i].Clone()
		if spec == s.part { // its own ShardShape wants a word on every axis
			part.Dimensions[0] /= s.devices
		}
		parts = append(parts, part)
	}
	return slices.Repeat(parts, s.devices)
}

// run takes a step with the given inputs, tensors or numbers, and returns the losses.
func (s *sharding) run(step *model.Exec, cfg ngebm.Config, args []any) (losses *tensors.Tensor, err error) {
	specs := s.inputs(cfg)
	shared := make([]any, len(args))
	var free []*dtensor.Tensor
	defer func() {
		for _, d := range free {
			err = errors.Join(err, d.FinalizeAll())
		}
	}()
	for i, arg := range args {
		t, ok := arg.(*tensors.Tensor)
		if !ok {
			if t, err = tensors.FromAnyValue(arg); err != nil {
				return nil, err
			}
		}
		d, err := dtensor.ShardTensor(specs[i], t)
		if err != nil {
			return nil, err
		}
		shared[i], free = d, append(free, d)
	}
	out, err := step.Exec(shared...)
	if err != nil {
		return nil, err
	}
	return out[0], devmem.Free(out[1:]...)
}
