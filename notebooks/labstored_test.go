package main

import (
	"testing"
)

// A notebook that somebody else ran is not trusted. All the same its animation shows,
// and says what is to be seen.
func TestAnimationUntrusted(t *testing.T) {
	l := openAsStored(t, "06_jem_and_cost.ipynb")
	l.await("scroll to the animation", `(() => {
		const seen = [...document.querySelectorAll(".jp-OutputArea img")].find(i => i.src.startsWith("data:image/gif") && i.complete && i.naturalWidth > 100 && i.alt);
		if (seen) seen.scrollIntoView({block: "center"});
		else document.querySelector(".jp-WindowedPanel-outer").scrollTop += 300;
		return seen !== undefined;
	})()`)
	l.act("look", l.take("lab-12-animation"))
	l.stop()
}
