package attack

// Species names a kind of presentation: a species of presentation attack
// instrument (PAI species, ISO/IEC 30107-3 §3.8), or the bona fide one.
type Species string

// The species.
const (
	BonaFide      Species = "bona_fide"
	Print         Species = "print"
	BentPrint     Species = "bent_print"
	CutMask       Species = "cut_mask"
	ScreenStill   Species = "screen_still"
	ScreenVideo   Species = "screen_video"
	InjectedStill Species = "injected_still"
	EarlierRun    Species = "injected_earlier_session"
	AnotherPerson Species = "another_person"
	TwoPeople     Species = "two_people"
	Swap          Species = "swap"
	WrongOrder    Species = "wrong_order"
	Looped        Species = "looped_video"
	OverBright    Species = "over_bright"
	Blurred       Species = "blurred"
	Crossfade     Species = "injected_crossfade"
	Interpolated  Species = "injected_interpolated"
	HardCut       Species = "injected_hard_cut"
	Relit         Species = "injected_relit"
	Unresolved    Species = "screen_unresolved"
)

// Info says what a species is.
type Info struct {
	Species Species
	Title   string
	// Made says how it is made and what varies.
	Made string
	// Impostor: there is no instrument: a live person who is not the one of the
	// portrait, whom the comparison alone can refuse.
	Impostor bool
	// Limit: docs/liveness.md says that frames alone cannot tell it; it is measured
	// so that the limit has a figure.
	Limit bool
	// Other: it needs a second person.
	Other bool
}

// Catalogue lists the attack species in the order of reports.
func Catalogue() []Info {
	return []Info{
		{Species: Print, Title: "Print", Made: "the portrait on matt or glossy paper with its raster and border, held, tilted, or turned and tilted as the instructions ask"},
		{Species: BentPrint, Title: "Bent print", Made: "the same, bent around a vertical axis, outwards or inwards, with radii of 0.6 to 1.6 widths"},
		{Species: CutMask, Title: "Cut mask", Other: true, Made: "the portrait's face cut out, flat or curved, with eye holes, worn by a live person who follows every instruction: eyes are real, the mouth is paper"},
		{Species: ScreenStill, Title: "Screen, still", Made: "the portrait or one frame on a display, held, or turned as the instructions ask"},
		{Species: ScreenVideo, Title: "Screen, video", Made: "the person's own recording on a display, playing the piece that is asked: sub-pixel grid of several pitches and angles, bezel, glare, banding, gamma"},
		{Species: InjectedStill, Title: "Injected still", Made: "one genuine frame again and again: noise, brightness, recompression, small movements, or moved as the instructions ask"},
		{Species: EarlierRun, Title: "Injected earlier session", Made: "a genuine run for another random order, at its own pace, faster, slower, or piece by piece as instructions appear"},
		{Species: AnotherPerson, Title: "Another person", Other: true, Impostor: true, Made: "a live person who follows every instruction before somebody else's portrait"},
		{Species: TwoPeople, Title: "Two people", Other: true, Made: "the person follows; another face of 30 to 100 % of the area stands beside, throughout or in every third second"},
		{Species: Swap, Title: "Swap in mid-sequence", Other: true, Made: "another person takes over from some instruction on, in the middle of one, or for one or two only"},
		{Species: WrongOrder, Title: "Wrong order", Made: "the right, live person: two neighbouring actions exchanged, the order reversed, or drawn anew"},
		{Species: Looped, Title: "Looped video", Made: "a genuine recording again and again, unchanged or with new noise"},
		{Species: OverBright, Title: "Over-bright", Other: true, Made: "another person, or a screen that plays what is asked, over-exposed until the face clips"},
		{Species: Blurred, Title: "Blurred", Other: true, Made: "another person, or a screen that plays what is asked, out of focus so that its grid vanishes"},
		{Species: Interpolated, Title: "Injected, interpolated", Made: "the pieces that are asked, at half speed with computed frames between"},
		{Species: Crossfade, Title: "Injected, crossfaded", Limit: true, Made: "the person's own pieces in the order asked, joined by crossfades of two to six frames"},
		{Species: Unresolved, Title: "Screen, not resolved", Limit: true, Made: "a screen that plays what is asked, filmed with 0.4 to 0.8 pixels of blur: too little to be told from a face's own softness, enough for its grid to vanish"},
		{Species: HardCut, Title: "Injected, hard cuts", Limit: true, Made: "the person's own pieces in the order asked, joined by cuts: to the frames the same as a bona fide run"},
		{Species: Relit, Title: "Injected, dyed", Limit: true, Made: "the same, the face dyed by software in the colours that the page shows, in step"},
	}
}

// Of returns the entry of a species.
func Of(s Species) (Info, bool) {
	for _, i := range Catalogue() {
		if i.Species == s {
			return i, true
		}
	}
	return Info{}, false
}
