package systemtest

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// A notebook that somebody else ran is not trusted. All the same its animation shows,
// and says what is to be seen. Saved without a change, it is the file that it was.
func testAnimationUntrusted(t *testing.T, s *labInBrowser) {
	before, err := os.ReadFile("06_jem_and_cost.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	l := s.openAsStored(t, "06_jem_and_cost.ipynb")
	l.await("scroll to the animation", `(() => {
		const seen = [...document.querySelectorAll(".jp-OutputArea img")].find(i => i.src.startsWith("data:image/gif") && i.complete && i.naturalWidth > 100 && i.alt);
		if (seen) seen.scrollIntoView({block: "center"});
		else document.querySelector(".jp-WindowedPanel-outer").scrollTop += 300;
		return seen !== undefined;
	})()`)
	l.act("look", l.Take("lab-12-animation"))
	stored := modTime(l.notebook)
	l.act("save", choose("File", "Save Notebook"))
	var after []byte
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		// A save on its way has written only a part.
		if after, err = os.ReadFile(l.notebook); err == nil && !modTime(l.notebook).Equal(stored) && bytes.Equal(after, before) {
			return
		}
	}
	t.Errorf("saved without a change it is another file of %d bytes, or it was not saved: %v", len(after), err)
}

func modTime(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
