package train

import (
	"path"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"ngebm/ngebm"
)

// updateWeights builds the optimizer's step of the trainable variables below scope, with the
// learning rate of optimizer.LearningRateVar.
func updateWeights(scope *model.Scope, loss *Node, cfg ngebm.Config) {
	g := loss.Graph()
	var weights []*model.Variable
	for v := range scope.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			weights = append(weights, v)
		}
	}
	grads := scope.BuildTrainableVariablesGradientsGraph(loss) // in the same order
	clipByNorm(grads, cfg.ClipNorm)
	if cfg.WeightDecay != 0 && cfg.Optimizer != ngebm.AdamW {
		for i, v := range weights {
			grads[i] = Add(grads[i], MulScalar(v.NodeValue(g), cfg.WeightDecay))
		}
	}
	if cfg.Optimizer == ngebm.SGD {
		rate := optimizer.LearningRateVar(scope, loss.DType(), cfg.LearningRate).NodeValue(g)
		sgd(scope.Store(), weights, grads, rate, cfg)
		return
	}
	adam := optimizer.Adam().Betas(.9, .999).Epsilon(1e-8)
	if cfg.Optimizer == ngebm.AdamW {
		adam.WeightDecay(cfg.WeightDecay)
	}
	adam.Done().(fromGradients).UpdateGraphWithGradients(scope, grads, loss.DType())
}

// fromGradients is an optimizer of GoMLX that takes gradients in place of a loss.
type fromGradients interface {
	UpdateGraphWithGradients(scope *model.Scope, grads []*Node, lossDType dtypes.DType)
}

// clipByNorm scales the gradients so that the norm of all together is at most limit, as
// torch.nn.utils.clip_grad_norm_ does; 0 is no limit.
func clipByNorm(grads []*Node, limit float64) {
	if limit == 0 {
		return
	}
	var squares *Node
	for _, grad := range grads {
		if square := ReduceAllSum(Square(grad)); squares == nil {
			squares = square
		} else {
			squares = Add(squares, square)
		}
	}
	// PyTorch's 1e-6 keeps a zero gradient from 0/0.
	scale := Div(Scalar(squares.Graph(), squares.DType(), limit), AddScalar(Sqrt(squares), 1e-6))
	scale = Min(scale, OnesLike(scale))
	for i, grad := range grads {
		grads[i] = Mul(grad, scale)
	}
}

// sgd is stochastic gradient descent as torch.optim.SGD defines it, without dampening:
//
//	m = momentum·m + g; w -= rate·m, or rate·(g + momentum·m) with Nesterov's
func sgd(store *model.Store, weights []*model.Variable, grads []*Node, rate *Node, cfg ngebm.Config) {
	for i, v := range weights {
		step := grads[i]
		if cfg.Momentum != 0 {
			moment := store.Scope(path.Join("/", optimizer.Scope, "sgd", v.Scope())).
				WithInitializer(initializer.Zero).VariableWithShape(v.Name(), v.Shape()).SetTrainable(false)
			moved := Add(MulScalar(moment.NodeValue(rate.Graph()), cfg.Momentum), grads[i])
			moment.SetNodeValue(moved)
			step = moved
			if cfg.Nesterov {
				step = Add(grads[i], MulScalar(moved, cfg.Momentum))
			}
		}
		v.SetNodeValue(Sub(v.NodeValue(rate.Graph()), Mul(rate, step)))
	}
}
