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

// archiveTree is the names in an archive. Links are followed as in the folder that it would unpack to,
// and never out of it.
type archiveTree struct {
	kinds      map[string]string // of all members, by name; see [member]
	links      map[string]string // targets of symbolic links
	hard       map[string]string // targets of hard links
	maxMembers int               // bound on kinds
	bytes      int               // of names and link targets
	steps      int               // bytes of paths followed
}

func newArchiveTree() *archiveTree {
	return &archiveTree{kinds: map[string]string{}, links: map[string]string{}, hard: map[string]string{}, maxMembers: maxMembers}
}

// Bounds on an archive's names: the length of a path on Linux; a depth beyond any dataset; in total
// five times ImageNet's; and the length of the paths that links lead along.
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
		return fmt.Errorf("%s %.40q… has %d bytes, more than %d: shorten it", what, name, len(name), maxName)
	case strings.Count(name, "/") > maxDepth:
		return fmt.Errorf("%s %.40q… leads through more than %d folders: shorten it", what, name, maxDepth)
	}
	return nil
}

// countName counts a name that is stored.
func (t *archiveTree) countName(name string) error {
	if t.bytes += len(name); t.bytes > maxNames {
		return fmt.Errorf("the names in it take more than %d MiB: use a part of them", maxNames>>20)
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
		return fmt.Errorf("%s is listed twice: keep one", shown(name))
	}
	t.kinds[name] = kind
	if err := t.countName(name); err != nil {
		return err
	}
	// Its parent folders need not be members.
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		switch kind, known := t.kinds[folder]; {
		case known && kind == kindFolder:
			return boundMembers(len(t.kinds), t.maxMembers)
		case known:
			return fmt.Errorf("%s is in %s, which is not a folder in the archive", shown(name), shown(folder))
		}
		t.kinds[folder] = kindFolder
		if err := t.countName(folder); err != nil {
			return err
		}
	}
	return boundMembers(len(t.kinds), t.maxMembers)
}

// maxMembers bounds the files and folders of a dataset, which take some hundred bytes each.
const maxMembers = 1 << 21

func boundMembers(n, limit int) error {
	if n > limit {
		return fmt.Errorf("it has more than %d files and folders: use a part of them", limit)
	}
	return nil
}

// children returns the names in each folder; nil if there are no links.
func (t *archiveTree) children() map[string][]string {
	children := map[string][]string{}
	if len(t.links)+len(t.hard) > 0 { // otherwise not needed
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

// errLinkSteps is the error for an archive made to take a long time.
var errLinkSteps = errors.New("its links lead through too many folders: unpack it and write folder:PATH")

// maxHops bounds the links in one path, as on Linux.
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

// visible returns the members that are not hidden, each under every name that links give it, and the
// other names of each member by its own name.
func (t *archiveTree) visible() (members []member, others map[string][]string, err error) {
	others = map[string][]string{}
	children := t.children()
	var broken []string // the first few
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
			return fmt.Errorf("the link %s leads to a folder that contains it: remove it", shown(name))
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

// isBelow reports whether a name is in a folder or below it.
func isBelow(name, folder string) bool {
	return folder == "." || strings.HasPrefix(name, folder+"/")
}
