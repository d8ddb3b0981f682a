package pack

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"ipse/face"
)

// ForPages returns the networks with which the page guides a person on their own
// device, the detector and the mesh, each as SHA256.onnx after the manifest. They
// are the very files of the pack, not copies; the page decides nothing with them,
// whatever pack the server decides with. Files can be sought in.
func ForPages() (fs.FS, error) {
	raw, err := files.ReadFile(path.Join("default", face.ManifestFile))
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	var m face.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("pack: manifest: %w", err)
	}
	found := byHash{}
	for _, n := range m.Networks {
		if n.Role == face.RoleDetector || n.Role == face.RoleMesh {
			found[n.SHA256+".onnx"] = path.Join("default", n.File)
		}
	}
	return found, nil
}

// byHash names files of the pack by their hash.
type byHash map[string]string

// Open opens the file of that hash. Errors: fs.ErrNotExist.
func (b byHash) Open(name string) (fs.File, error) {
	file, known := b[name]
	if !known {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return files.Open(file)
}
