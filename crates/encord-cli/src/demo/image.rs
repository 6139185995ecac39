//! Small images, each different from the others.

/// Width and height in pixels; a row of three bytes a pixel must end on a multiple of four bytes.
const SIDE: u32 = 64;

/// The headers of the file and of the image.
const HEADERS: u32 = 14 + 40;

/// A colour gradient as a Windows bitmap of 24 bits a pixel, uncompressed.
pub(super) fn bitmap(number: u32) -> Vec<u8> {
    let pixels = SIDE * SIDE * 3;
    let mut file = Vec::new();
    file.extend(b"BM");
    // Size of the file, reserved, where the pixels begin; size of the second header, width, height.
    for field in [HEADERS + pixels, 0, HEADERS, 40, SIDE, SIDE] {
        file.extend(field.to_le_bytes());
    }
    // Planes, and bits a pixel.
    for field in [1_u16, 24] {
        file.extend(field.to_le_bytes());
    }
    // No compression; size of the pixels; resolution; no palette.
    for field in [0, pixels, 2835, 2835, 0, 0] {
        file.extend(field.to_le_bytes());
    }
    for y in 0..SIDE {
        for x in 0..SIDE {
            let colour = [x * 4, y * 4, number.wrapping_mul(37)];
            file.extend(colour.map(|channel| channel.to_le_bytes()[0]));
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_as_long_as_it_says() {
        let image = bitmap(7);
        assert_eq!(image.get(2..6), Some(&u32::try_from(image.len()).expect("small").to_le_bytes()[..]));
        assert_eq!(image.len(), 12_342);
        assert_ne!(image, bitmap(8));
    }
}
