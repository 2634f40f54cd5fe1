package explorer

import (
	"encoding/json"
	"fmt"
)

// What was pressed on the panel.
const (
	pressedNothing = ""
	pressedTrain   = "train"
	pressedStop    = "stop"
	pressedFinish  = "finish"
)

// message is the whole state of the panel, each time: messages may be lost or overtake
// each other (GoNB gives each to its own goroutine), so none may matter alone.
type message struct {
	Panel   string             `json:"panel"`   // a name that each view of the panel draws at random
	Number  int                `json:"number"`  // from 1, one more for each message of the view
	Presses int                `json:"presses"` // how often a button was pressed so far
	Pressed string             `json:"pressed"` // the last one
	Values  map[string]float64 `json:"values"`  // of the sliders when it was, by name

	settings Settings // of Values
	invalid  error    // what is wrong with them, which matters to Train only
}

// parseMessage reads a panel's message and refuses what no panel sends. Settings that
// cannot be trained are no reason to: the message may be a Stop, or say that the panel is alive.
func parseMessage(text string) (message, error) {
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, fmt.Errorf("explorer: the panel sent an invalid message: %w", err)
	}
	switch m.Pressed {
	case pressedNothing, pressedTrain, pressedStop, pressedFinish:
	default:
		return m, fmt.Errorf("explorer: the panel has no button %q", m.Pressed)
	}
	if m.Number < 1 || m.Presses < 0 || (m.Presses == 0) != (m.Pressed == pressedNothing) {
		return m, fmt.Errorf("explorer: message %d of the panel counts %d presses, the last %q", m.Number, m.Presses, m.Pressed)
	}
	m.settings, m.invalid = settingsOf(m.Values)
	return m, nil
}
