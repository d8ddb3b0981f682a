package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// ErrNotFound means that no ONNX Runtime library is where Locate looks.
var ErrNotFound = errors.New("the ONNX Runtime library was not found (set IPSE_ONNXRUNTIME, or run npm install onnxruntime-node@" + LibraryVersion + ")")

// LibraryVersion is the release of ONNX Runtime that the binding is built for
// and that the figures of docs/models.md were measured with.
const LibraryVersion = "1.24.1"

// EnvLibrary names the environment variable that overrides the search.
const EnvLibrary = "IPSE_ONNXRUNTIME"

// Locate finds the shared library: the file named by IPSE_ONNXRUNTIME, else
// beside the executable, else in the node_modules (package onnxruntime-node) of
// start or of one of its parents, else in the system's library folders. An
// IPSE_ONNXRUNTIME that names no file is an error rather than a reason to go on.
func Locate(start string) (string, error) {
	if named := os.Getenv(EnvLibrary); named != "" {
		if !isFile(named) {
			return "", fmt.Errorf("%s names no file", EnvLibrary)
		}
		return named, nil
	}
	for _, candidate := range candidates(start) {
		if isFile(candidate) {
			return candidate, nil
		}
	}
	return "", ErrNotFound
}

func candidates(start string) []string {
	name, node := libraryNames()
	var list []string
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		list = append(list, filepath.Join(dir, name), filepath.Join(dir, "lib", name))
		list = append(list, nodeModules(dir, node)...)
	}
	if start != "" {
		if abs, err := filepath.Abs(start); err == nil {
			list = append(list, nodeModules(abs, node)...)
		}
	}
	for _, dir := range systemFolders() {
		list = append(list, filepath.Join(dir, name), filepath.Join(dir, "libonnxruntime.so."+LibraryVersion))
	}
	return list
}

// nodeModules lists the package's library in dir and in every parent, and in
// the parents' .cache/onnxruntime, where `make` keeps a copy without a web build.
func nodeModules(dir, node string) []string {
	var list []string
	for {
		list = append(list,
			filepath.Join(dir, "node_modules", node),
			filepath.Join(dir, "web", "node_modules", node),
			filepath.Join(dir, ".cache", "onnxruntime", "node_modules", node))
		parent := filepath.Dir(dir)
		if parent == dir {
			return list
		}
		dir = parent
	}
}

// libraryNames returns the file name of the library on this system and its
// path within the npm package onnxruntime-node.
func libraryNames() (name, node string) {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	base := filepath.Join("onnxruntime-node", "bin", "napi-v6")
	switch runtime.GOOS {
	case "darwin":
		name = "libonnxruntime." + LibraryVersion + ".dylib"
		return name, filepath.Join(base, "darwin", arch, name)
	case "windows":
		name = "onnxruntime.dll"
		return name, filepath.Join(base, "win32", arch, name)
	default:
		name = "libonnxruntime.so.1"
		return name, filepath.Join(base, "linux", arch, name)
	}
}

func systemFolders() []string {
	if runtime.GOOS == "windows" {
		return nil
	}
	list := filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return append(list, "/usr/local/lib", "/usr/lib/"+triplet, "/usr/lib64", "/usr/lib", "/opt/onnxruntime/lib", "/opt/homebrew/lib")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
