package setup

import "testing"

// The lines are those of ngebm devices: only the one about the CPU counts.
func TestNoXLA(t *testing.T) {
	for listing, want := range map[string]bool{
		"  cuda  not available: no NVIDIA GPU found\n* cpu   XLA on CPU, 1 device, PJRT 0.106\n  go    pure Go on the CPU (slow)\n":                 false,
		"  cuda  not available: no NVIDIA GPU found\n  cpu   not available: XLA's CPU plugin is not installed\n* go    pure Go on the CPU (slow)\n": true,
	} {
		if noXLA.MatchString(listing) != want {
			t.Errorf("%v for %q", !want, listing)
		}
	}
}
