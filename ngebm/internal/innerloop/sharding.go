package innerloop

import (
	"errors"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"
)

// sharing is how several devices share a loop: each moves a part of the batch.
type sharing struct {
	whole *distributed.ShardingSpec // every device has all of it
	first *distributed.ShardingSpec // the first axis is the batch, and divided
	own   *distributed.ShardingSpec // the second is: the steps' own inputs
}

// share makes exec one that all devices of the mesh run.
func share(exec *model.Exec, mesh *distributed.DeviceMesh) (*sharing, error) {
	axis := mesh.AxesNames()[0]
	first, err1 := distributed.BuildSpec(mesh).S(axis).Done()
	own, err2 := distributed.BuildSpec(mesh).R().S(axis).Done()
	exec.AutoSharding(mesh).WithOutputShardingSpecs(first, first)
	return &sharing{distributed.NewReplicatedShardingSpec(mesh), first, own}, errors.Join(err1, err2)
}

// execute divides what has a batch, runs, and puts the results together. owns says
// that the second argument is the steps' own.
func (s *sharing) execute(exec *model.Exec, owns bool, args []any) (out []*tensors.Tensor, err error) {
	specs, parts := make([]*distributed.ShardingSpec, len(args)), make([]any, len(args))
	var free []*dtensor.Tensor
	defer func() {
		for _, d := range free {
			err = errors.Join(err, d.FinalizeAll())
		}
	}()
	for i, arg := range args {
		t := arg.(*tensors.Tensor)
		switch {
		case t.Rank() == 0:
			specs[i] = s.whole
		case i == 1 && owns:
			specs[i] = s.own
		default:
			specs[i] = s.first
		}
		d, err := dtensor.ShardTensor(specs[i], t)
		if err != nil {
			return nil, err
		}
		parts[i], free = d, append(free, d)
	}
	ends, err := exec.WithInputShardingSpecs(specs...).DistributedExec(parts...)
	if err != nil {
		return nil, err
	}
	for _, end := range ends {
		free = append(free, end)
		t, err := end.Merge()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
