package lds

import (
	"bytes"
	"encoding/binary"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// Image formats, told by their first octets and not by what a record says.
const (
	FormatJPEG = "jpeg"
	FormatJP2  = "jp2" // JPEG 2000 in its file format
	FormatJ2K  = "j2k" // JPEG 2000 as a raw codestream
)

// Portrait is the first face image of DG2.
type Portrait struct {
	Format string
	Image  pii.Bytes // shares the file's buffer: wiping one wipes the other
	// Standard is "19794-5" or "39794-5".
	Standard string
	// Width and Height are in pixels as the record states them, 0 where it does not.
	Width, Height int
	// Count is how many images DG2 holds.
	Count int
	FaceRecord
	Deviations []deviation.Deviation
}

// FaceRecord is what the facial record says of its image. What it may say of the
// person (sex, colour of eyes and hair, expression) is not read, and of the feature
// points only how many there are.
type FaceRecord struct {
	// CapturedOn is when the picture was taken, YYYY, YYYY-MM or YYYY-MM-DD; "" where
	// the record does not say.
	CapturedOn pii.Text
	// Device is the kind of capture device, "" where unknown: one of "photograph",
	// "digital still camera", "scanner", "video", "analogue video camera", "digital
	// video camera". DeviceModel is the vendor's number for it, 0 where not stated.
	Device      string
	DeviceModel int
	// Colour is the colour space, "" where unknown: "RGB 24", "RGB 48", "YUV 4:2:2",
	// "grey 8", "grey 16", "other".
	Colour string
	// Quality are the scores of the issuer's quality algorithms.
	Quality []QualityScore
	// Landmarks is how many feature points the record states.
	Landmarks int
}

// QualityScore is one quality score of a facial record.
type QualityScore struct {
	Organisation, Algorithm int // of the CBEFF registry, 0 where not stated
	Score                   int // 0 to 100, -1 for a failed assessment
}

// Limits of a portrait.
const (
	maxTemplates = 9
	maxFeatures  = 512
	maxScores    = 32
)

// deviceName names a source type of ISO/IEC 19794-5 §5.7.6, whose numbers
// ISO/IEC 39794-5 keeps.
func deviceName(code int) string {
	names := [...]string{"", "photograph", "digital still camera", "scanner", "video", "analogue video camera", "digital video camera"}
	if code < 0 || code >= len(names) {
		return ""
	}
	return names[code]
}

// ImageFormat tells the format of an encoded image, or "".
func ImageFormat(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}):
		return FormatJPEG
	case bytes.HasPrefix(b, []byte{0, 0, 0, 0x0C, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}):
		return FormatJP2
	case bytes.HasPrefix(b, []byte{0xFF, 0x4F, 0xFF, 0x51}):
		return FormatJ2K
	}
	return ""
}

// ParseDG2 finds the portrait in DG2 (Doc 9303-10 §4.7.2): a biometric
// information group template whose first data block is a facial record of
// ISO/IEC 19794-5 or 39794-5.
func ParseDG2(b []byte) (*Portrait, error) {
	e, ds, err := content(DG2, b)
	if err != nil {
		return nil, err
	}
	p := &Portrait{Deviations: ds}
	block, err := p.firstBlock(e)
	if err != nil {
		return nil, fail(DG2, err)
	}
	if bytes.HasPrefix(block.Value, []byte("FAC\x00")) {
		err = p.parse19794(block)
	} else {
		err = p.parse39794(block)
	}
	if err != nil {
		return nil, fail(DG2, err)
	}
	if p.Count > 1 {
		p.deviate(deviation.DG2ManyImages, block.Offset)
	}
	return p, nil
}

func (p *Portrait) deviate(code deviation.Code, offset int) {
	p.Deviations = append(p.Deviations, at(DG2, code, offset))
}

// firstBlock walks 7F61 { 02 count, 7F60 { A1 header, 5F2E or 7F2E data } ... }.
func (p *Portrait) firstBlock(e tlv.Element) (tlv.Element, error) {
	group, err := e.Reader().Expect(0x7F61)
	if err != nil {
		return tlv.Element{}, err
	}
	kids, err := group.Children()
	if err != nil {
		return tlv.Element{}, err
	}
	var first tlv.Element
	for _, k := range kids {
		if k.Tag != 0x7F60 {
			continue
		}
		if p.Count++; p.Count > maxTemplates {
			return tlv.Element{}, k.Err(tlv.ErrCount)
		}
		if p.Count > 1 {
			continue
		}
		if first, err = p.dataBlock(k); err != nil {
			return tlv.Element{}, err
		}
	}
	if p.Count == 0 {
		return tlv.Element{}, group.Err(tlv.ErrMissing)
	}
	if kids[0].Tag != tlv.Integer {
		p.deviate(deviation.DG2Header, group.Offset)
	}
	return first, nil
}

func (p *Portrait) dataBlock(template tlv.Element) (tlv.Element, error) {
	kids, err := template.Children()
	if err != nil {
		return tlv.Element{}, err
	}
	header := false
	for _, k := range kids {
		switch k.Tag {
		case 0xA1:
			header = true
		case 0x5F2E, 0x7F2E:
			if !header {
				p.deviate(deviation.DG2Header, template.Offset)
			}
			return k, nil
		}
	}
	return tlv.Element{}, template.Err(tlv.ErrMissing)
}

// Sizes of the parts of a facial record (ISO/IEC 19794-5:2005 §5).
const (
	facialHeader = 14
	facialInfo   = 20
	featurePoint = 8
	imageInfo    = 12
)

// parse19794 reads a facial record. Its lengths are off by up to eight octets in
// documents in circulation, so the image's own first octets decide.
func (p *Portrait) parse19794(block tlv.Element) error {
	p.Standard = "19794-5"
	b := block.Value
	if len(b) < facialHeader+facialInfo+imageInfo {
		return block.Err(tlv.ErrTruncated)
	}
	if int64(binary.BigEndian.Uint32(b[8:])) != int64(len(b)) {
		p.deviate(deviation.DG2RecordLength, block.ValueOffset()+8)
	}
	if images := int(binary.BigEndian.Uint16(b[12:])); images > 1 {
		p.Count = max(p.Count, images)
	}
	info := b[facialHeader:]
	blockLength := int64(binary.BigEndian.Uint32(info))
	features := int(binary.BigEndian.Uint16(info[4:]))
	if features > maxFeatures {
		return block.Err(tlv.ErrCount)
	}
	image := facialInfo + features*featurePoint
	if len(info) < image+imageInfo {
		return block.Err(tlv.ErrTruncated)
	}
	p.Width = int(binary.BigEndian.Uint16(info[image+2:]))
	p.Height = int(binary.BigEndian.Uint16(info[image+4:]))
	declared := info[image+1]
	p.describe19794(info[image:], features)
	start := image + imageInfo
	end := int64(len(info))
	if p.Count > 1 && blockLength > int64(start) && blockLength <= end {
		end = blockLength
	} else if blockLength != end {
		p.deviate(deviation.DG2RecordLength, block.ValueOffset()+facialHeader)
	}
	data, shifted := findImage(info[:end], start)
	if data == nil {
		return block.Err(ErrNoImage)
	}
	if shifted {
		p.deviate(deviation.DG2RecordLength, block.ValueOffset()+facialHeader+start)
	}
	p.setImage(data)
	if (p.Format == FormatJPEG) != (declared == 0) {
		p.deviate(deviation.DG2ImageType, block.ValueOffset()+facialHeader+image+1)
	}
	return nil
}

// describe19794 reads the image information (ISO/IEC 19794-5 §5.7): type, size,
// colour space, source type, device type, quality.
func (p *Portrait) describe19794(info []byte, features int) {
	colours := [...]string{"", "RGB 24", "YUV 4:2:2", "grey 8", "other"}
	if c := int(info[6]); c < len(colours) {
		p.Colour = colours[c]
	}
	p.Device = deviceName(int(info[7]))
	p.DeviceModel = int(binary.BigEndian.Uint16(info[8:]))
	if score := int(binary.BigEndian.Uint16(info[10:])); score > 0 && score <= 100 {
		p.Quality = []QualityScore{{Score: score}}
	}
	p.Landmarks = features
}

// findImage looks for the start of an image at start, then up to 16 octets around.
func findImage(b []byte, start int) (data []byte, shifted bool) {
	for shift := range 17 {
		for _, at := range [...]int{start + shift, start - shift} {
			if at >= 0 && at < len(b) && ImageFormat(b[at:]) != "" {
				return b[at:], shift != 0
			}
		}
	}
	return nil, false
}

func (p *Portrait) setImage(data []byte) {
	p.Format = ImageFormat(data)
	p.Image = pii.NewBytes(data)
}
