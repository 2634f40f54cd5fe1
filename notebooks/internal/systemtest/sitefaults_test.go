package systemtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"ngebm/notebooks/internal/browsertest"
)

// testFaultsAreSeen breaks a page in one way after another: each must be reported, and nothing
// else. The page needs code, a formula and a picture.
func testFaultsAreSeen(t *testing.T, ctx context.Context, shots browsertest.Album, axe, site, name string) {
	adds := func(html string) string {
		return fmt.Sprintf("document.querySelector('main').insertAdjacentHTML('beforeend', `%s`)", html)
	}
	table := func(box string, width int) string {
		return adds(fmt.Sprintf(`<div style="%s"><table style="width: %dpx"><tr><td>words</td></tr></table></div>`, box, width))
	}
	shots.Do(ctx, "open "+name, open(site, name, desk))
	for _, test := range []struct {
		name, damage string
		view         view
		look, rule   string // what must be said of the look, and by axe
	}{
		{"nothing", "0", desk, "", ""},
		{"nothing_on_a_phone", "0", phone, "", ""},
		{"picture_missing", adds(`<img alt="a picture" src="figures/missing.png">`), desk, "1 do not show and 0 have no description", ""},
		{"picture_without_description", adds(`<img>`), phone, "1 do not show and 1 have no description", "image-alt"},
		{"no_formula", `document.querySelectorAll("mjx-container").forEach(f => f.remove())`, desk, "0 formulas are set", ""},
		{"page_too_wide", adds(`<p style="min-width: 600px">words</p>`), phone, "pixels too wide", ""},
		{"table_cut_on_a_phone", table("overflow: hidden", 500), phone, "1 tables are wider", ""},
		{"table_cut_at_1100", table("overflow: hidden", 900), half, "1 tables are wider", ""},
		{"caption_cut", adds(`<div class="scroll" tabindex="0"><table><caption><span style="max-width: none !important; white-space: nowrap">` + strings.Repeat("words ", 99) + `</span></caption><tr><td>words</td></tr></table></div>`), half, "1 captions are wider", ""},
		{"table_cut_below_on_a_phone", adds(`<div class="scroll" tabindex="0" style="max-height: 60px !important"><table>` + strings.Repeat("<tr><td>words</td></tr>", 9) + `</table></div>`), phone, "1 tables scroll down", ""},
		{"scrolls_only_by_pointer", adds(`<div style="overflow: auto; white-space: nowrap">` + strings.Repeat("words ", 99) + `</div>`), phone, "", "scrollable-region-focusable"},
		{"pale_text", adds(`<p style="color: #aaa">words</p>`), desk, "", "color-contrast"},
		{"pale_text_on_dark", adds(`<p style="color: #555">words</p>`), phone, "", "color-contrast"},
		{"pale_names_in_code", adds(`<style>.highlight .nx { color: #aaa }</style>`), desk, "", "color-contrast"},
		{"pale_table", table("overflow: auto; color: #aaa", 50), desk, "", "color-contrast"},
		{"pale_output", adds(`<pre style="color: #aaa">words</pre>`), desk, "", "color-contrast"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var l look
			var found []finding
			shots.Do(ctx, test.name, test.view.show(),
				chromedp.Evaluate(fmt.Sprintf(`window.whole = document.querySelector("main").cloneNode(true); %s; 0`, test.damage), nil),
				test.view.show(), l.read(), prepareForAxe, check(axe, &found),
				chromedp.Evaluate(`document.querySelector("main").replaceWith(whole)`, nil))
			var rules []string
			for _, f := range found {
				rules = append(rules, f.Rule)
			}
			faults := strings.Join(l.faults(true), "; ")
			if !strings.Contains(faults, test.look) || (faults != "") != (test.look != "") {
				t.Errorf("the look is said to have: %q, not %q", faults, test.look)
			}
			if said := strings.Join(rules, " "); said != test.rule {
				t.Errorf("axe says %q, not %q: %v", said, test.rule, found)
			}
		})
	}
}
