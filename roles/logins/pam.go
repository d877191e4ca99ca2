package logins

// pamStack works out which modules of a stack are run, and with what results,
// so that most is waited for. A module whose result is not known is followed
// down every way that it may lead.
type pamStack struct {
	results func(pamLine) ([]string, []request)
}

// The state of libpam's own verdict, which decides whether `done` ends a stack.
const (
	openVerdict = iota // nothing has counted yet
	goodVerdict
	badVerdict
)

// longest is the requests of the way through the stack that waits for most,
// and the verdicts that a way may end with.
func (s pamStack) longest(lines []pamLine) ([]request, map[int]bool) {
	ends := map[int]bool{}
	memo := map[[2]int][]request{}
	var from func(i, verdict int) []request
	from = func(i, verdict int) []request {
		if i >= len(lines) {
			ends[verdict] = true
			return nil
		}
		key := [2]int{i, verdict}
		if known, ok := memo[key]; ok {
			return known
		}
		var best []request
		own := s.ways(lines[i], verdict, func(next, verdict int) {
			if next < 0 {
				ends[verdict] = true
			} else if rest := from(i+next, verdict); weight(rest) > weight(best) {
				best = rest
			}
		})
		memo[key] = append(own, best...)
		return memo[key]
	}
	return from(0, openVerdict), ends
}

// ways calls then for each way on from a module: how many modules further, or
// -1 where the stack ends, and with which verdict. It gives the module's own
// requests.
func (s pamStack) ways(l pamLine, verdict int, then func(next, verdict int)) []request {
	if l.sub {
		// What ends a substack ends it alone.
		own, ends := s.longest(l.below)
		for end := range ends {
			then(1, max(verdict, end))
		}
		if len(ends) == 0 {
			then(1, verdict)
		}
		return own
	}
	results, own := s.results(l)
	for _, r := range results {
		switch action := l.control.after(r); action {
		case "ok", "done":
			v := verdict
			if v == openVerdict && r == "success" {
				v = goodVerdict
			}
			if action == "done" && v == goodVerdict {
				then(-1, v)
			} else {
				then(1, v)
			}
		case "bad":
			then(1, badVerdict)
		case "die":
			then(-1, badVerdict)
		case "reset":
			then(1, openVerdict)
		case "ignore":
			then(1, verdict)
		default:
			then(1+jump(action), verdict)
		}
	}
	return own
}

// weight orders ways by the searches that they ask for; what bounds itself or
// does not weighs as one that is never answered.
func weight(rs []request) int {
	sum := 0
	for _, r := range rs {
		if r.fixed.Unbounded {
			sum += maxSetting
		}
		sum += r.searches + wholeSecs(Bound{Most: r.fixed.Most})
	}
	return sum
}
