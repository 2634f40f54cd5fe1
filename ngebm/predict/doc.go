// Package predict turns a trained run into decisions: a class with its probability, a set of
// classes that holds the right one at a chosen rate, or a refusal with its reason.
//
//	p, err := predict.Fit(ctx, run, predict.Options{})   from the run's validation split
//	err = p.Save()                                       predictor.json, next to the checkpoint
//	p, err := predict.Load(ctx, backend, dir)            in a service: no data is needed
//	decisions, err := p.Predict(ctx, inputs)             from any goroutine
//
// What is fitted, and what each part promises for an input of the distribution that the
// validation examples come from (see package conformal for sources):
//
//	part             from                     promise
//	Probability      temperature or vector    none; confidence closer to accuracy
//	Set              split-conformal sets     P(right class in Set) ≥ 1-α
//	Refused: score   thresholds of scores     P(refused by any of them) ≤ false-alarm rate
//	Refused: risk    selective risk           P(wrong | confidence enough) ≤ r, with confidence 1-δ
//
// Sets and thresholds use the logits as they are, at temperature 1, so that every validation
// example counts for each promise. The promises hold one by one. In particular the sets cover
// all inputs, refused ones among them; and where a share c of inputs has enough confidence
// for the risk r, and the scores refuse a share f, the risk of what remains is at most
// r c/(c-f).
//
// A network that is right more often than 1-α has to leave out the right class of some inputs:
// sets of lac are then empty where it is least sure. Choose α below its error rate for sets of
// several classes.
//
// To answer a chosen share of usual inputs, the coverage, refuse the least confident ones: Scores py alone, and FalseAlarms
// 1 minus that share.
//
// Everything rests on exchangeability: inputs must come from where the validation examples
// come from. Inputs from elsewhere may have a high confidence and a high energy. Both digits
// presets call a white image "1" with high confidence, and the energy's threshold for 5 %
// false alarms lets it pass. So do the gradient norm's and all other scores of the logits: a
// network that never saw such an input may answer anything. [InputScore] looks at the input
// itself instead, and refuses it. The detectors MDS, RMDS, ViM and fDBD, which compare features with
// those of training examples, refused it too where this was tried (preset digits-few, seed 2).
//
// A validation split that chose settings, or the step of ngebm.LoadBest, is not untouched:
// promises then hold approximately.
package predict
