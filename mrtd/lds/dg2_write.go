package lds

import (
	"encoding/binary"
	"time"

	"ipse/mrtd/tlv"
)

// EncodeDG2 writes a DG2 with one image of ISO/IEC 19794-5, as issuers do:
// full frontal, colour, no feature points.
func EncodeDG2(image []byte, width, height int) []byte {
	imageType := byte(1)
	if ImageFormat(image) == FormatJPEG {
		imageType = 0
	}
	record := binary.BigEndian.AppendUint32([]byte("FAC\x00010\x00"), uint32(facialHeader+facialInfo+imageInfo+len(image)))
	record = binary.BigEndian.AppendUint16(record, 1)
	record = binary.BigEndian.AppendUint32(record, uint32(facialInfo+imageInfo+len(image)))
	record = append(record, make([]byte, facialInfo-4)...)
	record = append(record, 1, imageType)
	record = binary.BigEndian.AppendUint16(record, uint16(width))
	record = binary.BigEndian.AppendUint16(record, uint16(height))
	record = append(record, 1, 2, 0, 0, 0, 0) // sRGB, digital still camera, device and quality unspecified
	record = append(record, image...)
	return biometricGroup(0x08, tlv.Encode(0x5F2E, record))
}

// biometricGroup writes DG2 around one data block; format is the registered number
// of its format (CBEFF, ISO/IEC JTC 1/SC 37).
func biometricGroup(format byte, block []byte) []byte {
	header := tlv.Encode(0xA1,
		tlv.Encode(0x80, []byte{0x01, 0x01}), // header version 1.1
		tlv.Encode(0x81, []byte{0x02}),       // biometric type: facial features
		tlv.Encode(0x87, []byte{0x01, 0x01}), // format owner: ISO/IEC JTC 1/SC 37
		tlv.Encode(0x88, []byte{0x00, format}))
	return tlv.Encode(tlv.Tag(DG2.Tag()), tlv.Encode(0x7F61, tlv.EncodeInt(1), tlv.Encode(0x7F60, header, block)))
}

// EncodeDG2ISO39794 writes a DG2 with one image of ISO/IEC 39794-5 in the application
// profile for travel documents, taken on the day captured (zero for not stated).
func EncodeDG2ISO39794(image []byte, width, height int, captured time.Time) []byte {
	code := func(n int) []byte { return contextInt(0, n) } // the code of a CHOICE with extension block
	imageFormat := formatJPEG2000Lossy
	if ImageFormat(image) == FormatJPEG {
		imageFormat = formatJPEG
	}
	information := tlv.Encode(tlv.ContextConstructed(1),
		tlv.Encode(tlv.ContextConstructed(0), code(imageFormat)),
		tlv.Encode(tlv.ContextConstructed(1), code(0)), // image kind: travel document
		tlv.Encode(tlv.ContextConstructed(7), contextInt(0, width), contextInt(1, height)),
		tlv.Encode(tlv.ContextConstructed(9), code(2))) // 24-bit RGB
	device := tlv.Encode(tlv.ContextConstructed(2), tlv.Encode(tlv.ContextConstructed(1), code(2))) // digital still camera
	picture := tlv.Encode(tlv.ContextConstructed(1), tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.ContextConstructed(0),
		tlv.Encode(tlv.Context(0), image), information, device)))
	representation := [][]byte{contextInt(0, 0), picture}
	if !captured.IsZero() {
		y, m, d := captured.Date()
		representation = append(representation, tlv.Encode(tlv.ContextConstructed(2), contextInt(0, y), contextInt(1, int(m)), contextInt(2, d)))
	}
	block := tlv.Encode(tagFaceImageBlock,
		tlv.Encode(tlv.ContextConstructed(0), contextInt(0, 3), contextInt(1, 2019)), // generation 3 of 2019
		tlv.Encode(tlv.ContextConstructed(1), tlv.Encode(tlv.Sequence, representation...)))
	return biometricGroup(0x2A, tlv.Encode(0x7F2E, tlv.Encode(0xA1, block)))
}

func contextInt(tag, n int) []byte {
	e := tlv.EncodeInt(n)
	e[0] = byte(tlv.Context(tag))
	return e
}
