// Package pack embeds the default model pack of package face: the converted
// networks of default/, their manifest and licences. docs/models.md says where
// they come from and how well they do; scripts/models converts them.
package pack

import (
	"embed"
	"fmt"
	"io/fs"

	"ipse/face"
)

//go:embed default
var files embed.FS

// Default returns the embedded pack after checking every file's SHA-256.
func Default() (*face.Pack, error) {
	sub, err := fs.Sub(files, "default")
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return face.LoadPack(sub)
}
