package eval

// inConditions measures genuine people in each condition; nil without any.
func inConditions(under map[string][]Presentation, known []ConditionInfo) *Conditions {
	var r Conditions
	var fit []Presentation
	for _, info := range known {
		list := under[info.Name]
		if len(list) == 0 {
			continue
		}
		r.List = append(r.List, inCondition(info, list))
		r.Presentations += len(list)
		if !info.Unfit {
			fit = append(fit, list...)
		}
	}
	if r.Presentations == 0 {
		return nil
	}
	r.BPCER, r.Refused = count(fit, takenAsAttack, responded), count(fit, refused, all)
	return &r
}

func inCondition(info ConditionInfo, list []Presentation) ConditionFigures {
	f := ConditionFigures{ConditionInfo: info, People: people(list), Presentations: len(list), BPNRR: count(list, notResponded, all),
		BPCER: count(list, takenAsAttack, responded), Refused: count(list, refused, all), Reasons: reasons(list)}
	failed := map[string]int{}
	for _, p := range list {
		if !p.Accepted && p.Reason == qualityReason {
			f.Quality++
		}
		for _, s := range p.Signals {
			if s.State == SignalFailed {
				failed[s.Name]++
			}
		}
	}
	f.Signals = counts(failed)
	return f
}

// qualityReason is face.ReasonPoorQuality.
const qualityReason = "poor_quality"
