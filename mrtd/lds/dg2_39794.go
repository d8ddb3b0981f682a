package lds

import (
	"fmt"
	"strconv"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// tagFaceImageBlock is [APPLICATION 5], of FaceImageDataBlock (ISO/IEC 39794-5).
const tagFaceImageBlock tlv.Tag = 0x65

// Image data formats of ISO/IEC 39794-5 that the profile for travel documents
// allows.
const (
	formatJPEG             = 2
	formatJPEG2000Lossy    = 3
	formatJPEG2000Lossless = 4
)

// parse39794 reads a biometric data block of ISO/IEC 39794-5 in the encoding of its
// application profile for travel documents (Doc 9303-10 §4.7.2):
//
//	7F2E { A1 { FaceImageDataBlock [APPLICATION 5] { version [0], representations [1] } } }
//
// Blocks it does not know, extensions among them, are passed over. Where the
// structure is not the standard's, the picture is the first octet string that begins
// like one, and the departure is named.
func (p *Portrait) parse39794(block tlv.Element) error {
	p.Standard = "39794-5"
	representation, err := p.representation(block)
	if err == nil {
		err = p.parseRepresentation(representation)
	}
	if err == nil {
		return nil
	}
	found, walkErr := firstImage(block)
	if walkErr != nil {
		return walkErr
	}
	if found.Value == nil {
		return block.Err(ErrNoImage)
	}
	p.deviate(deviation.DG2Structure, block.Offset)
	p.setImage(found.Value)
	return nil
}

// firstImage finds the first octet string that begins like an image.
func firstImage(block tlv.Element) (found tlv.Element, err error) {
	err = tlv.WalkAt(block.Value, block.ValueOffset(), func(e tlv.Element, _ int) error {
		if found.Value == nil && !e.Tag.Constructed() && ImageFormat(e.Value) != "" {
			found = e
		}
		return nil
	})
	return found, err
}

// representation returns the first representation block and counts them all.
func (p *Portrait) representation(block tlv.Element) (tlv.Element, error) {
	r := block.Reader()
	wrapper, wrapped, err := r.Optional(0xA1)
	if err != nil {
		return tlv.Element{}, err
	}
	if wrapped {
		r = wrapper.Reader()
	} else {
		p.deviate(deviation.DG2Structure, block.Offset)
	}
	body, err := r.Expect(tagFaceImageBlock)
	if err != nil {
		return tlv.Element{}, err
	}
	list, err := child(body, tlv.ContextConstructed(1))
	if err != nil {
		return tlv.Element{}, err
	}
	all, err := list.Children()
	if err != nil {
		return tlv.Element{}, err
	}
	if len(all) == 0 || len(all) > maxTemplates {
		return tlv.Element{}, list.Err(tlv.ErrCount)
	}
	p.Count = max(p.Count, len(all))
	return all[0], nil
}

// parseRepresentation reads RepresentationBlock: the picture, which must be there,
// and what is said of it, which is passed over where it cannot be read.
func (p *Portrait) parseRepresentation(e tlv.Element) error {
	fields, err := e.Children()
	if err != nil {
		return err
	}
	picture := false
	for _, f := range fields {
		switch f.Tag {
		case tlv.ContextConstructed(1):
			if err := p.parse2D(f); err != nil {
				return err
			}
			picture = true
		case tlv.ContextConstructed(2):
			p.optional(f, p.parseCaptureDate)
		case tlv.ContextConstructed(3):
			p.optional(f, p.parseQuality)
		case tlv.ContextConstructed(7):
			p.optional(f, p.parseDeviceModel)
		case tlv.ContextConstructed(9):
			p.optional(f, p.countLandmarks)
		}
	}
	if !picture {
		return e.Err(tlv.ErrMissing)
	}
	return nil
}

func (p *Portrait) optional(f tlv.Element, parse func(tlv.Element) error) {
	if parse(f) != nil {
		p.deviate(deviation.DG2Structure, f.Offset)
	}
}

// parse2D reads ImageRepresentation: CHOICE base [0], CHOICE imageRepresentation2D
// [0] { data [0], information [1], device [2] }. Shapes in three dimensions and
// extensions hold no picture.
func (p *Portrait) parse2D(e tlv.Element) error {
	base, err := child(e, tlv.ContextConstructed(0))
	if err != nil {
		return err
	}
	image, err := child(base, tlv.ContextConstructed(0))
	if err != nil {
		return err
	}
	fields, err := image.Children()
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch f.Tag {
		case tlv.Context(0):
			if ImageFormat(f.Value) == "" {
				return f.Err(ErrNoImage)
			}
			p.setImage(f.Value)
		case tlv.ContextConstructed(1):
			p.optional(f, p.parseInformation)
		case tlv.ContextConstructed(2):
			p.optional(f, p.parseDevice)
		}
	}
	if p.Format == "" {
		return image.Err(tlv.ErrMissing)
	}
	return nil
}

// parseInformation reads ImageInformation2DBlock: format [0], size [7], colour [9].
func (p *Portrait) parseInformation(e tlv.Element) error {
	fields, err := e.Children()
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch f.Tag {
		case tlv.ContextConstructed(0):
			declared, err := choiceCode(f)
			if err != nil {
				return err
			}
			if (p.Format == FormatJPEG) != (declared == formatJPEG) ||
				p.Format != FormatJPEG && declared != formatJPEG2000Lossy && declared != formatJPEG2000Lossless {
				p.deviate(deviation.DG2ImageType, f.Offset)
			}
		case tlv.ContextConstructed(7):
			size, err := contextInts(f, 2, 1<<16-1)
			if err != nil {
				return err
			}
			p.Width, p.Height = max(size[0], 0), max(size[1], 0)
		case tlv.ContextConstructed(9):
			colour, err := choiceCode(f)
			if err != nil {
				return err
			}
			names := [...]string{"", "other", "RGB 24", "RGB 48", "YUV 4:2:2", "grey 8", "grey 16"}
			if colour < len(names) {
				p.Colour = names[colour]
			}
		}
	}
	return nil
}

// parseDevice reads the technology of CaptureDevice2DBlock.
func (p *Portrait) parseDevice(e tlv.Element) error {
	technology, ok, err := optionalChild(e, tlv.ContextConstructed(1))
	if err != nil || !ok {
		return err
	}
	code, err := choiceCode(technology)
	p.Device = deviceName(code)
	return err
}

// parseDeviceModel reads the model of CaptureDeviceBlock, a registry identifier.
func (p *Portrait) parseDeviceModel(e tlv.Element) error {
	model, ok, err := optionalChild(e, tlv.ContextConstructed(0))
	if err != nil || !ok {
		return err
	}
	id, err := contextInts(model, 2, 1<<16-1)
	if err == nil {
		p.DeviceModel = max(id[1], 0)
	}
	return err
}

// parseCaptureDate reads CaptureDateTimeBlock: year [0], month [1], day [2]; the time
// of day is passed over.
func (p *Portrait) parseCaptureDate(e tlv.Element) error {
	v, err := contextInts(e, 3, 9999)
	if err != nil {
		return err
	}
	year, month, day := v[0], v[1], v[2]
	if year < 1900 || month == 0 || month > 12 || day == 0 || day > 31 {
		return e.Err(tlv.ErrValue)
	}
	date := strconv.Itoa(year)
	if month > 0 {
		date += fmt.Sprintf("-%02d", month)
		if day > 0 {
			date += fmt.Sprintf("-%02d", day)
		}
	}
	p.CapturedOn = pii.NewText(date)
	return nil
}

// parseQuality reads QualityBlocks: algorithm [0], CHOICE score [0] or error [1].
func (p *Portrait) parseQuality(e tlv.Element) error {
	blocks, err := e.Children()
	if err != nil {
		return err
	}
	if len(blocks) > maxScores {
		return e.Err(tlv.ErrCount)
	}
	for _, b := range blocks {
		algorithm, err := child(b, tlv.ContextConstructed(0))
		if err != nil {
			return err
		}
		id, err := contextInts(algorithm, 2, 1<<16-1)
		if err != nil {
			return err
		}
		outcome, err := child(b, tlv.ContextConstructed(1))
		if err != nil {
			return err
		}
		score, err := contextInts(outcome, 1, 100)
		if err != nil {
			return err
		}
		p.Quality = append(p.Quality, QualityScore{Organisation: max(id[0], 0), Algorithm: max(id[1], 0), Score: score[0]})
	}
	return nil
}

func (p *Portrait) countLandmarks(e tlv.Element) error {
	blocks, err := e.Children()
	if err != nil {
		return err
	}
	if len(blocks) > maxFeatures {
		return e.Err(tlv.ErrCount)
	}
	p.Landmarks = len(blocks)
	return nil
}

// choiceCode reads CHOICE { code [0], extensionBlock [1] { fallback [0] } }: how
// ISO/IEC 39794 writes enumerations that may grow. 0 stands for unknown.
func choiceCode(e tlv.Element) (int, error) {
	if extension, ok, err := optionalChild(e, tlv.ContextConstructed(1)); err != nil {
		return 0, err
	} else if ok {
		e = extension
	}
	v, err := contextInts(e, 1, 255)
	if err != nil {
		return 0, err
	}
	return max(v[0], 0), nil
}

// contextInts reads the primitive elements [0] to [n-1] of e as integers from 0 to
// limit; -1 stands for one that is not there. Others are passed over.
func contextInts(e tlv.Element, n, limit int) ([]int, error) {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	fields, err := e.Children()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		i := int(f.Tag) - int(tlv.Context(0))
		if i < 0 || i >= n {
			continue
		}
		v, err := f.Int()
		if err != nil || v < 0 || v > limit {
			return nil, f.Err(tlv.ErrValue)
		}
		out[i] = v
	}
	return out, nil
}

// child returns the first element of e with the tag.
func child(e tlv.Element, tag tlv.Tag) (tlv.Element, error) {
	c, ok, err := optionalChild(e, tag)
	if err == nil && !ok {
		err = &tlv.Error{Offset: e.Offset, Reason: tlv.ErrMissing, Tag: tag}
	}
	return c, err
}

func optionalChild(e tlv.Element, tag tlv.Tag) (tlv.Element, bool, error) {
	for r := e.Reader(); !r.Empty(); {
		k, err := r.Next()
		if err != nil {
			return tlv.Element{}, false, err
		}
		if k.Tag == tag {
			return k, true, nil
		}
	}
	return tlv.Element{}, false, nil
}
