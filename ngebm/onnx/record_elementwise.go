package onnx

import "github.com/gomlx/compute"

// Operations on single values, and reductions, implement [compute.StandardOps] alike.

func (r *recorder) Abs(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeAbs, x) }

func (r *recorder) Ceil(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeCeil, x)
}

func (r *recorder) Cos(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeCos, x) }

func (r *recorder) Erf(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeErf, x) }

func (r *recorder) Exp(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeExp, x) }

func (r *recorder) Expm1(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeExpm1, x)
}

func (r *recorder) Floor(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeFloor, x)
}

func (r *recorder) Log(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeLog, x) }

func (r *recorder) Log1p(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeLog1p, x)
}

func (r *recorder) LogicalNot(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeLogicalNot, x)
}

func (r *recorder) Logistic(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeLogistic, x)
}

func (r *recorder) Neg(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeNeg, x) }

func (r *recorder) Round(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeRound, x)
}

func (r *recorder) Rsqrt(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeRsqrt, x)
}

func (r *recorder) Sign(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeSign, x)
}

func (r *recorder) Sin(x compute.Value) (compute.Value, error) { return r.unary(compute.OpTypeSin, x) }

func (r *recorder) Sqrt(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeSqrt, x)
}

func (r *recorder) Tanh(x compute.Value) (compute.Value, error) {
	return r.unary(compute.OpTypeTanh, x)
}

func (r *recorder) Add(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeAdd, a, b)
}

func (r *recorder) Div(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeDiv, a, b)
}

func (r *recorder) LogicalAnd(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeLogicalAnd, a, b)
}

func (r *recorder) LogicalOr(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeLogicalOr, a, b)
}

func (r *recorder) LogicalXor(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeLogicalXor, a, b)
}

func (r *recorder) Max(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeMax, a, b)
}

func (r *recorder) Min(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeMin, a, b)
}

func (r *recorder) Mul(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeMul, a, b)
}

func (r *recorder) Pow(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypePow, a, b)
}

func (r *recorder) Sub(a, b compute.Value) (compute.Value, error) {
	return r.binary(compute.OpTypeSub, a, b)
}

func (r *recorder) Equal(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeEqual, a, b)
}

func (r *recorder) GreaterOrEqual(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeGreaterOrEqual, a, b)
}

func (r *recorder) GreaterThan(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeGreaterThan, a, b)
}

func (r *recorder) LessOrEqual(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeLessOrEqual, a, b)
}

func (r *recorder) LessThan(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeLessThan, a, b)
}

func (r *recorder) NotEqual(a, b compute.Value) (compute.Value, error) {
	return r.compare(compute.OpTypeNotEqual, a, b)
}

func (r *recorder) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return r.reduce(compute.OpTypeReduceMax, x, axes)
}

func (r *recorder) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return r.reduce(compute.OpTypeReduceMin, x, axes)
}

func (r *recorder) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	return r.reduce(compute.OpTypeReduceProduct, x, axes)
}

func (r *recorder) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return r.reduce(compute.OpTypeReduceSum, x, axes)
}
