package plots

import (
	"errors"
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/ood"
)

// Detection is how well one score of one model separates in from out.
type Detection struct {
	Name   string      // of the score, the method or the set, whichever is compared
	Points []ood.Point // of ood.Curve: thresholds from the highest down
	Report *ood.Report // of the same scores: the numbers below the panel
	Color  color.Color // nil leaves the choice to the figure
}

// DetectionPanel compares detections.
type DetectionPanel struct {
	Title      string
	Detections []Detection
}

// ROC draws receiver operating characteristics, three panels in a row: the share
// of in that is accepted against the share of out that is, over all thresholds.
// Below are the areas, with their intervals where there are any and there is
// room.
func ROC(panels ...DetectionPanel) (*Figure, error) {
	return detectionGrid(panels, "out accepted (FPR)", "in accepted (TPR)", "AUROC", func(p *panel, d Detection, style draw.LineStyle) {
		line := plotter.XYs{{X: 0, Y: 0}}
		for _, point := range d.Points {
			line = append(line, plotter.XY{X: point.FPR, Y: point.TPR})
		}
		p.Add(&plotter.Line{XYs: line, LineStyle: style})
	})
}

// PrecisionRecall draws precision-recall curves with in as the positive class:
// the share of the accepted that is in, against the share of in that is
// accepted. They are steps, as the average precision (AP) below them sums them.
func PrecisionRecall(panels ...DetectionPanel) (*Figure, error) {
	return detectionGrid(panels, "in accepted (recall)", "in among the accepted (precision)", "AUPR_in_AP", func(p *panel, d Detection, style draw.LineStyle) {
		var line plotter.XYs
		recall := 0.
		for _, point := range d.Points {
			line = append(line, plotter.XY{X: recall, Y: point.Precision}, plotter.XY{X: point.TPR, Y: point.Precision})
			recall = point.TPR
		}
		p.Add(&plotter.Line{XYs: line, LineStyle: style})
	})
}

// detectionGrid draws panels of one kind of curve; metric is the JSON key of
// the number below.
func detectionGrid(panels []DetectionPanel, xLabel, yLabel, metric string, add func(*panel, Detection, draw.LineStyle)) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no detection to draw a curve of")
	}
	var drawn []panel
	var alt []string
	for i, dp := range panels {
		if err := dp.check(); err != nil {
			return nil, err
		}
		one := panel{Plot: newPlot(), title: dp.Title, xLabel: xLabel, aspect: 1}
		if i%panelColumns(len(panels)) == 0 {
			one.yLabel = yLabel
		}
		one.X.Min, one.X.Max, one.Y.Min, one.Y.Max = 0, 1, 0, 1
		one.Add(gridLines{})
		if metric == "AUROC" {
			one.Add(diagonal) // what chance gives
		}
		rows := table{header: strings.TrimSuffix(strings.TrimPrefix(metric, "AUPR_in_"), "_in")}
		var numbers []string
		names := make([]named, len(dp.Detections))
		for j, d := range dp.Detections {
			names[j] = named{d.Name, d.Color}
		}
		for j, style := range stylesOf(names) {
			d := dp.Detections[j]
			add(&one, d, style)
			row := tableRow{key: lineKey(d.Name, style, draw.GlyphStyle{}), value: fmt.Sprintf("%.3f", d.metric(metric))}
			if interval, ok := d.Report.Intervals[metric]; ok {
				row.interval = brackets(interval)
			}
			rows.rows = append(rows.rows, row)
			numbers = append(numbers, d.Name+" "+row.value)
		}
		one.below, one.belowHeight = rows.draw, rows.height()
		drawn = append(drawn, one)
		alt = append(alt, fmt.Sprintf("%s: %s of %s.", strings.TrimSpace(yLabel+" against "+xLabel+" "+dp.Title), rows.header, strings.Join(numbers, ", ")))
	}
	return figureGrid{panels: drawn}.figure(strings.Join(alt, " ")), nil
}

func (d Detection) metric(name string) float64 {
	if name == "AUROC" {
		return d.Report.AUROC
	}
	return d.Report.AUPRIn
}

func (p DetectionPanel) check() error {
	if len(p.Detections) == 0 {
		return fmt.Errorf("plots: the panel %q has no detections", p.Title)
	}
	for _, d := range p.Detections {
		if d.Report == nil || len(d.Points) == 0 {
			return fmt.Errorf("plots: %q lacks its points or its report: pass those of ood.Curve and ood.Measure", d.Name)
		}
		if !isShare(d.Report.AUROC) || !isShare(d.Report.AUPRIn) {
			return fmt.Errorf("plots: %q has an AUROC of %v and an AUPR of %v: both must be in [0,1]; pass a report of ood.Measure", d.Name, d.Report.AUROC, d.Report.AUPRIn)
		}
		if err := checkIntervals(d.Name, d.Report.Intervals, "AUROC", "AUPR_in_AP"); err != nil {
			return err
		}
		for i, point := range d.Points {
			if !isShare(point.TPR) || !isShare(point.FPR) || !isShare(point.Precision) {
				return fmt.Errorf("plots: point %d of %q is %+v: shares must be in [0,1]", i+1, d.Name, point)
			}
		}
	}
	return nil
}
