package study_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ngebm/ngebm/study"
)

// A small file of an outsider's results keeps nobody busy: reading, merging and showing it takes
// time in proportion to its runs, here 5000.
func TestManyRuns(t *testing.T) {
	const n = 5000
	var seeds, runs []string
	for seed := range n {
		seeds = append(seeds, fmt.Sprint(seed))
		runs = append(runs, fmt.Sprintf(`{"method":"jem","seed":%d,"failed":"x","sets":[{},{},{}]}`, n-1-seed))
	}
	base, err := json.Marshal(smallPlan(t).Base)
	if err != nil {
		t.Fatal(err)
	}
	file := func(seeds, runs []string, more string) string {
		return fmt.Sprintf(`{"format":1,"methods":["jem"],"seeds":[%s],"base":%s,"runs":[%s]%s}`, strings.Join(seeds, ","), base, strings.Join(runs, ","), more)
	}
	began := time.Now()
	r, err := study.ParseResults([]byte(file(seeds, runs, "")))
	if err != nil {
		t.Fatal(err)
	}
	merged, err := study.Merge(r, r)
	if err != nil || len(merged.Runs) != n || merged.Runs[1].Seed != 1 || len(merged.Missing()) != 0 {
		t.Fatalf("%d runs (%v)", len(merged.Runs), err)
	}
	_ = merged.String()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}

	// So do many detections of one run, each on a set and by a score of its own, and many machines.
	var many []string
	for i := range 50_000 {
		many = append(many, fmt.Sprintf(`{"set":"%d","score":"%d","group":"near"}`, i, i))
	}
	one := strings.Replace(runs[n-1], `"failed":"x"`, `"calibration":{"calibrated":{},"after_T":{}},"detection":[`+strings.Join(many, ",")+"]", 1)
	detected := strings.Replace(file(seeds[:2], []string{one}, ""), `"base"`, `"measure":{"strange":["rotated"],"near":["rotated"]},"base"`, 1)
	began = time.Now()
	if r, err = study.ParseResults([]byte(detected)); err != nil {
		t.Fatal(err)
	}
	if got := len(r.OODSets()); got != len(many) {
		t.Errorf("%d sets", got)
	}
	_ = r.String()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("of many detections it took %v", took)
	}

	curves := strings.Replace(one, `"detection"`, `"robustness":[{"points":[`+strings.Repeat("{},", 5000)+`{}]}],"detection"`, 1)
	const ensemble = `{"method":"jem","seeds":[1,2],"calibration":{}}`
	for want, text := range map[string]string{
		"two ensembles of jem":                          file(seeds[:3], runs[n-3:], `,"ensembles":[`+ensemble+","+ensemble+"]"),
		"a robustness curve has 5001 points, more than": file(seeds[:2], []string{curves}, ""),
		"65537 seeds, more than":                        file([]string{strings.Repeat("1,", 1<<16) + "1"}, nil, ""),
	} {
		if _, err := study.ParseResults([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
