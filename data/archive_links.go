package data

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// archiveTree is the names in an archive, in which links are followed as they would be in
// the folder that it unpacks to, and never out of it.
type archiveTree struct {
	kinds      map[string]string // of all members, by name; see [member]
	links      map[string]string // what symbolic links hold
	hard       map[string]string // the members that hard links are other names of
	maxMembers int               // bound on kinds
	bytes      int               // of names, and of links' targets
	steps      int               // bytes of paths that links were followed along
}

func newArchiveTree() *archiveTree {
	return &archiveTree{kinds: map[string]string{}, links: map[string]string{}, hard: map[string]string{}, maxMembers: maxMembers}
}

// Bounds on an archive's names: each as long as a path may be on Linux, and in folders
// whose number no set comes near to; all together five times those of ImageNet; and what
// links lead along.
const (
	maxName  = 4096
	maxDepth = 100
	maxNames = 256 << 20
	maxSteps = 1 << 29
)

// checkName bounds the length and the depth of a name.
func checkName(what, name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("%s %.40q… has %d bytes, more than %d: give it a shorter one", what, name, len(name), maxName)
	case strings.Count(name, "/") > maxDepth:
		return fmt.Errorf("%s %.40q… leads through more than %d folders: give it a shorter one", what, name, maxDepth)
	}
	return nil
}

// take counts a name that is kept.
func (t *archiveTree) countName(name string) error {
	if t.bytes += len(name); t.bytes > maxNames {
		return fmt.Errorf("the names in it take more than %d MiB: take a part of them", maxNames>>20)
	}
	return nil
}

const kindLink = "link"

// add adds a member under a clean name.
func (t *archiveTree) add(name, kind string) error {
	before, known := t.kinds[name]
	switch {
	case name == "." || known && kind == before && kind != "" && kind != kindLink:
		return nil
	case known:
		return fmt.Errorf("%s is there twice: keep one", shown(name))
	}
	t.kinds[name] = kind
	if err := t.countName(name); err != nil {
		return err
	}
	// The folders that it lies in need not be members.
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		switch kind, known := t.kinds[folder]; {
		case known && kind == kindFolder:
			return boundMembers(len(t.kinds), t.maxMembers)
		case known:
			return fmt.Errorf("%s lies in %s, which is not a folder there", shown(name), shown(folder))
		}
		t.kinds[folder] = kindFolder
		if err := t.countName(folder); err != nil {
			return err
		}
	}
	return boundMembers(len(t.kinds), t.maxMembers)
}

// maxMembers bounds the files and folders of a set: each takes some hundred bytes.
const maxMembers = 1 << 21

func boundMembers(n, limit int) error {
	if n > limit {
		return fmt.Errorf("it has more than %d files and folders: take a part of them", limit)
	}
	return nil
}

// children returns the names in each folder.
func (t *archiveTree) children() map[string][]string {
	children := map[string][]string{}
	if len(t.links)+len(t.hard) > 0 { // else nobody asks
		for _, name := range slices.Sorted(maps.Keys(t.kinds)) {
			children[path.Dir(name)] = append(children[path.Dir(name)], path.Base(name))
		}
	}
	return children
}

func (t *archiveTree) addLink(name, target string) error {
	return t.addTo(t.links, name, target)
}

func (t *archiveTree) addHardLink(name, target string) error {
	return t.addTo(t.hard, name, target)
}

func (t *archiveTree) addTo(links map[string]string, name, target string) error {
	if err := checkName("the target of the link "+shown(name)+",", target); err != nil {
		return err
	}
	links[name] = target
	return cmp.Or(t.countName(target), t.add(name, kindLink))
}

// Links that cannot be followed.
var (
	errLinkLeaves = errors.New("out of the archive")
	errLinkLost   = errors.New("to nothing in the archive")
	errLinkLoops  = errors.New("to itself")
)

// errLinkSteps stands for an archive that is made to take long.
var errLinkSteps = errors.New("its links lead through too many folders: unpack it and write folder:PATH")

// maxHops bounds the links in one path, as Linux does.
const maxHops = 40

// resolve returns the member that a name leads to.
func (t *archiveTree) resolve(name string) (string, error) {
	done, rest := ".", strings.Split(name, "/")
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch {
		case part == "" || part == ".":
			continue
		case part == ".." && done == ".":
			return "", errLinkLeaves
		case part == "..":
			done = path.Dir(done)
			continue
		case t.kinds[done] != kindFolder && done != ".":
			return "", errLinkLost
		}
		next := path.Join(done, part)
		if t.steps += 64 + len(next); t.steps > maxSteps {
			return "", errLinkSteps
		}
		target, soft := t.links[next]
		hardTarget, hard := t.hard[next]
		if !soft && !hard {
			done = next
			continue
		}
		if hops++; hops > maxHops {
			return "", errLinkLoops
		}
		switch {
		case hard:
			done, target = ".", hardTarget
		case path.IsAbs(target):
			return "", errLinkLeaves
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	if _, ok := t.kinds[done]; !ok && done != "." {
		return "", errLinkLost
	}
	return done, nil
}

// maxLinked bounds the names that links to folders add.
const maxLinked = 1 << 18

// visible returns the members that are not hidden, each under every name that links give
// it, and the other names by the one that the archive has it under.
func (t *archiveTree) visible() (members []member, others map[string][]string, err error) {
	others = map[string][]string{}
	children := t.children()
	var broken []string // the first of them
	count, added := 0, 0
	var follow func(name, real string, folders []string) error
	follow = func(name, real string, folders []string) error {
		target, err := t.resolve(real)
		if err == errLinkSteps {
			return err
		}
		if err != nil {
			if count++; count <= maxListed {
				broken = append(broken, fmt.Sprintf("%s leads %v (%.60q)", shown(name), err, cmp.Or(t.links[real], t.hard[real])))
			}
			return nil
		}
		if added += min(1, len(folders)); added > maxLinked {
			return fmt.Errorf("links in it to folders add more than %d names: unpack it and write folder:PATH", maxLinked)
		}
		if err := t.countName(name); err != nil {
			return err
		}
		kind := t.kinds[target]
		if target == "." {
			kind = kindFolder
		}
		members = append(members, member{name, kind})
		if kind != kindFolder {
			others[target] = append(others[target], name)
			return nil
		}
		if slices.Contains(folders, target) || isBelow(name, target) {
			return fmt.Errorf("the link %s leads to a folder that it lies in: remove it", shown(name))
		}
		for _, child := range children[target] {
			if isHidden(child) {
				continue
			}
			if err := follow(path.Join(name, child), path.Join(target, child), append(folders, target)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.kinds)) {
		switch kind := t.kinds[name]; {
		case isHidden(name):
		case kind == kindLink:
			if err := follow(name, name, nil); err != nil {
				return nil, nil, err
			}
		default:
			members = append(members, member{name, kind})
		}
	}
	if more := count - len(broken); more > 0 {
		broken = append(broken, fmt.Sprintf("and %d more", more))
	}
	if broken != nil {
		return nil, nil, fmt.Errorf("%s in it cannot be followed: %s: pack what they lead to instead of links (tar -h, zip without -y), or remove them",
			counted(count, kindLink), strings.Join(broken, "; "))
	}
	return members, others, nil
}

// isBelow reports whether a name lies in a folder.
func isBelow(name, folder string) bool {
	return folder == "." || strings.HasPrefix(name, folder+"/")
}
