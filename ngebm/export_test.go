package ngebm

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
)

// MakeOld copies a run's folder as one from before networks, code and test sets were
// recorded, with another hash.
func MakeOld(from, to, hash string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(to, costFile)); err != nil {
		return err
	}
	info, _, err := readInfo(to)
	if err != nil {
		return err
	}
	info.Hash, info.Network, info.Training = hash, nil, ""
	text, err := json.Marshal(info)
	if err == nil {
		err = os.WriteFile(filepath.Join(to, configFile), text, 0o644)
	}
	if err != nil {
		return err
	}
	folder, err := openFolder(to)
	if err != nil {
		return err
	}
	defer folder.Close()
	c, err := readCheckpoint(context.Background(), folder, checkpointFile, nil)
	if err != nil {
		return err
	}
	c.hash, c.seal = hash, ""
	for i := range c.history.Evaluations {
		c.history.Evaluations[i].Checksum = ""
	}
	return writeCheckpoint(folder, checkpointFile, "", *c)
}
