package study_test

import (
	"testing"

	"ngebm/ngebm/study"
)

// Results and plans of before keep their meaning: jem++ is read as what it was.
func TestRenamedMethod(t *testing.T) {
	m, err := study.FindMethod("jem++")
	if err != nil || m.Name != "jem-informative" || study.Title("jem++") != "JEM, informative start" {
		t.Errorf("jem++ is %+v, %q, %v", m, study.Title("jem++"), err)
	}
}
