package plots

import "math"

// decision is what the scores of a node say.
type decision struct {
	scores        []float64
	winner        int
	first, second float64 // the highest two scores; NaN where one of them all is
}

func decide(scores []float64) decision {
	d := decision{scores, -1, math.Inf(-1), math.Inf(-1)}
	for k, s := range scores {
		switch {
		case math.IsNaN(s):
			d.first, d.second = s, s
		case s > d.first:
			d.winner, d.first, d.second = k, s, d.first
		default:
			d.second = max(d.second, s)
		}
	}
	return d
}

// valid reports whether there is a winner.
func (d decision) valid() bool { return finite(d.first) }

// leads returns by how much the score of a class is above the best of the others at a node, and which
// classes are the best, or as good, at some node: the decision boundary is where a lead is zero. A node
// without a valid decision gets that of a near one, or gonum's contours would run around it. Each node's
// scores are searched once, since contours ask for each lead many times and there may be many classes.
func (g *Grid) leads() (lead func(class, row, column int) float64, best []bool) {
	best = make([]bool, g.classes())
	columns := len(g.X)
	var nodes []decision // row by row
	var valid []int      // indices: first of all that are, then of those next to them, and so on
	for _, row := range g.Scores {
		for _, scores := range row {
			d := decide(scores)
			if d.valid() {
				valid = append(valid, len(nodes))
				for k, s := range scores {
					best[k] = best[k] || s == d.first && finite(d.second)
				}
			}
			nodes = append(nodes, d)
		}
	}
	for i := 0; i < len(valid) && len(valid) < len(nodes); i++ {
		row, column := valid[i]/columns, valid[i]%columns
		for _, near := range [][2]int{{row - 1, column}, {row + 1, column}, {row, column - 1}, {row, column + 1}} {
			if near[0] < 0 || near[0] == len(g.Y) || near[1] < 0 || near[1] == columns {
				continue
			}
			if at := near[0]*columns + near[1]; !nodes[at].valid() {
				nodes[at] = nodes[valid[i]]
				valid = append(valid, at)
			}
		}
	}
	return func(class, row, column int) float64 {
		d := nodes[row*columns+column]
		other := d.first
		if class == d.winner {
			other = d.second
		}
		return min(max(d.scores[class]-other, -math.MaxFloat32), math.MaxFloat32) // finite next to -Inf too
	}, best
}
