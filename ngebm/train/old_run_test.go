package train_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
)

// makeOld copies a run's folder as one from before networks, code and test sets were
// recorded, with another hash.
func makeOld(from, to, hash string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(to, ckpt.CostFile)); err != nil {
		return err
	}
	var info map[string]json.RawMessage
	text, err := os.ReadFile(filepath.Join(to, ckpt.ConfigFile))
	if err == nil {
		err = json.Unmarshal(text, &info)
	}
	if err != nil {
		return err
	}
	info["hash"] = json.RawMessage(`"` + hash + `"`)
	delete(info, "network")
	delete(info, "training")
	if text, err = json.Marshal(info); err == nil {
		err = os.WriteFile(filepath.Join(to, ckpt.ConfigFile), text, 0o644)
	}
	if err != nil {
		return err
	}
	folder, err := ckpt.Folder(to).Open()
	if err != nil {
		return err
	}
	defer folder.Close()
	state, err := ckpt.Read(context.Background(), folder, ckpt.LastFile, nil)
	if err != nil {
		return err
	}
	var history ngebm.History
	if err := json.Unmarshal(state.History, &history); err != nil {
		return err
	}
	for i := range history.Evaluations {
		history.Evaluations[i].Checksum = ""
	}
	state.Hash, state.Seal = hash, ""
	if state.History, err = json.Marshal(history); err != nil {
		return err
	}
	return ckpt.Write(folder, ckpt.LastFile, "", *state)
}
