package systemtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
)

// view is a window that the site is seen in, in CSS pixels, and the system's theme.
type view struct {
	window, theme string
	width, height int64
}

var (
	desk  = view{"desk", "light", 1400, 1000}
	half  = view{"half a screen", "light", 1100, 1000}
	phone = view{"phone", "dark", 390, 800}
)

// show gives the open page another window, as turning a phone or dragging an edge does, which
// costs far less than loading it there: scripts, formulas and pictures stay. Only the contents
// are folded by hand: a page does that when it loads, which walk checks.
func (v view) show() chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.EmulateViewport(v.width, v.height),
		browsertest.Prefer(v.theme),
		chromedp.PollFunction(`(width, theme) => innerWidth === width && matchMedia("(prefers-color-scheme: " + theme + ")").matches &&
			[...document.images].every(i => i.complete)`, nil, chromedp.WithPollingArgs(v.width, v.theme)),
		chromedp.Evaluate(`document.querySelectorAll(".contents details").forEach(d => { d.open = !matchMedia("(max-width: 64rem)").matches; }),
			new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))`, nil, browsertest.AwaitPromise),
	}
}

// look is what a page shows in a view.
type look struct{ Pictures, Broken, Undescribed, Formulas, Wide, Cut, Captions, Deep int }

func (l *look) read() chromedp.Action {
	return chromedp.Evaluate(`({
		Pictures: document.images.length,
		Broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length,
		Undescribed: [...document.images].filter(i => !i.alt && !i.closest(".card")).length,
		Formulas: document.querySelectorAll("mjx-container svg").length,
		Wide: document.documentElement.scrollWidth - innerWidth,
		Cut: [...document.querySelectorAll("main table")].filter(table => {
			for (let box = table.parentElement; box; box = box.parentElement) {
				if (/auto|scroll/.test(getComputedStyle(box).overflowX)) return false;
				if (box.clientWidth > 0 && table.offsetWidth > box.clientWidth + 1) return true;
			}
		}).length,
		Captions: [...document.querySelectorAll("caption span")].filter(c =>
			c.getBoundingClientRect().right > c.closest(".scroll").getBoundingClientRect().right).length,
		Deep: innerWidth > 640 ? 0 : [...document.querySelectorAll(".scroll")].filter(box => box.scrollHeight > box.clientHeight + 1).length,
	})`, l)
}

// faults returns what is wrong with a page that has formulas or has none.
func (l look) faults(formulas bool) (faults []string) {
	if l.Pictures == 0 || l.Broken > 0 || l.Undescribed > 0 {
		faults = append(faults, fmt.Sprintf("of %d pictures %d do not show and %d have no description", l.Pictures, l.Broken, l.Undescribed))
	}
	if formulas != (l.Formulas > 0) {
		faults = append(faults, fmt.Sprintf("%d formulas are set", l.Formulas))
	}
	if l.Wide > 0 {
		faults = append(faults, fmt.Sprintf("%d pixels too wide", l.Wide))
	}
	if l.Cut > 0 {
		faults = append(faults, fmt.Sprintf("%d tables are wider than what holds them, and do not scroll", l.Cut))
	}
	if l.Captions > 0 {
		faults = append(faults, fmt.Sprintf("%d captions are wider than what shows of their tables", l.Captions))
	}
	if l.Deep > 0 {
		faults = append(faults, fmt.Sprintf("%d tables scroll down by themselves on a phone", l.Deep))
	}
	return faults
}

// prepareForAxe makes a page cheap to check and its code checkable. Most elements are words of
// code, whose contrast takes axe nearly all of its time: of those that look the same in a block,
// the first stays an element. Shades of what scrolls go, since axe judges no text on a gradient.
var prepareForAxe = chromedp.Evaluate(`(() => {
	const plain = document.createElement("style");
	plain.textContent = ".scroll, pre, mjx-container { background-image: none !important }";
	document.head.append(plain);
	for (const block of document.querySelectorAll(".highlight pre")) {
		const seen = new Set();
		for (const word of block.querySelectorAll("span")) {
			if (word.children.length > 0 || [...word.attributes].some(a => a.name !== "class")) continue;
			const style = getComputedStyle(word);
			const looks = [word.className, word.parentElement.tagName, style.color, style.backgroundColor, style.fontWeight, style.fontSize, style.opacity, style.display].join();
			// Axe judges no single characters.
			if (seen.has(looks) || word.textContent.trim().length < 2) word.replaceWith(word.textContent);
			else seen.add(looks);
		}
		block.normalize();
	}
	return 0;
})()`, nil)

// inspect looks at a page in all views. The page is loaded once, on the desk.
func inspect(t *testing.T, ctx context.Context, shots browsertest.Album, axe, site, name string) {
	t.Helper()
	var onDesk, onHalf, onPhone look
	var foundOnDesk, foundOnPhone []finding
	shots.Do(ctx, name,
		open(site, name, desk), onDesk.read(), shot(shots, name, desk),
		half.show(), onHalf.read(),
		phone.show(), onPhone.read(), shot(shots, name, phone), prepareForAxe, check(axe, &foundOnPhone),
		desk.show(), check(axe, &foundOnDesk),
	)
	report(t, name, desk, onDesk, foundOnDesk)
	report(t, name, half, onHalf, nil)
	report(t, name, phone, onPhone, foundOnPhone)
}

func shot(shots browsertest.Album, name string, v view) chromedp.Action {
	return shots.Take(fmt.Sprintf("site-%s-%s-%s", name, v.window, v.theme))
}

// report fails for what is wrong with a page in a view.
func report(t *testing.T, name string, v view, l look, found []finding) {
	t.Helper()
	where := fmt.Sprintf("%s on a %s, %s", name, v.window, v.theme)
	for _, fault := range l.faults(hasFormula(t, name)) {
		t.Errorf("%s: %s", where, fault)
	}
	for _, f := range found {
		if f.serious() {
			t.Errorf("%s: %s", where, f)
		} else {
			t.Logf("%s: %s", where, f)
		}
	}
}

// open loads a page in a view and waits until all of it is there.
func open(site, name string, v view) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.EmulateViewport(v.width, v.height), browsertest.Prefer(v.theme),
		chromedp.Navigate(browsertest.FileURL(site, name)),
		browsertest.AwaitFormulas, browsertest.ShowPictures,
	}
}
