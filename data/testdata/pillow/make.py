"""Makes the images of this folder and pillow.json, what Pillow's convert("RGB") says that
they show. Run in this folder with Pillow 13.0.0 (libjpeg-turbo, libwebp): python make.py"""
import glob, io, json, struct, zlib
from PIL import Image


def gif(name, screen, frame, pixels, palette, local=None, transparent=None, interlace=False, before=b"", after=b""):
    def table(colors):
        bits = max(1, (len(colors) - 1).bit_length())
        return bits - 1, b"".join(bytes(c) for c in colors) + b"\0\0\0" * ((1 << bits) - len(colors))

    out = b"GIF89a" + struct.pack("<HH", *screen)
    if palette:
        bits, colors = table(palette)
        out += bytes([0x80 | bits, 1, 0]) + colors
    else:
        out += b"\0\0\0"
    out += before
    if transparent is not None:
        out += b"!\xf9\x04" + bytes([1, 0, 0, transparent]) + b"\0"
    x, y, w, h = frame
    flags, colors = 0x40 if interlace else 0, b""
    if local:
        bits, colors = table(local)
        flags |= 0x80 | bits
    out += b"," + struct.pack("<HHHHB", x, y, w, h, flags) + colors
    # Uncompressed LZW: a clear code before every 100 codes of 9 bits keeps them at 9.
    bits, n = 0, 0
    def put(code):
        nonlocal bits, n
        bits |= code << n
        n += 9
    for i, p in enumerate(pixels):
        if i % 100 == 0:
            put(256)
        put(p)
    put(257)
    data = bits.to_bytes((n + 7) // 8, "little")
    out += b"\x08" + b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b"\0"
    open(name, "wb").write(out + after + b";")


colors = [(10, 20, 30), (200, 100, 50), (121, 131, 193), (255, 255, 0)]
gif("transparent.gif", (3, 2), (0, 0, 3, 2), [0, 1, 2, 2, 3, 0], colors, transparent=2)
gif("part.gif", (5, 4), (1, 1, 3, 2), [1, 1, 2, 3, 1, 2], colors)
gif("part-transparent.gif", (5, 4), (1, 1, 3, 2), [1, 2, 2, 3, 1, 2], colors, transparent=2)
gif("part-local.gif", (5, 4), (2, 0, 3, 2), [1, 0, 1, 1, 0, 1], colors, local=[(1, 2, 3), (4, 5, 6)])
gif("beyond-screen.gif", (2, 2), (1, 1, 3, 2), [1, 1, 2, 3, 1, 2], colors)
gif("no-screen.gif", (0, 0), (0, 0, 3, 2), [1, 1, 2, 3, 1, 2], colors)
gif("no-palette.gif", (3, 2), (0, 0, 3, 2), [1, 100, 2, 3, 255, 2], None)
gif("beyond-palette.gif", (3, 2), (0, 0, 3, 2), [1, 100, 2, 3, 255, 2], colors, transparent=200)
gif("interlaced.gif", (2, 9), (0, 0, 2, 9), [i // 2 % 4 for i in range(18)], colors, interlace=True)
gif("gray-palette.gif", (3, 2), (0, 0, 3, 2), [0, 1, 2, 2, 3, 0], [(i, i, i) for i in range(4)])
gif("gray-beyond-palette.gif", (3, 2), (0, 0, 3, 2), [0, 1, 100, 2, 255, 4], [(i, i, i) for i in range(4)])
gif("comment.gif", (3, 2), (0, 0, 3, 2), [0, 1, 2, 2, 3, 0], colors, before=b"!\xfe\x03abc\0!\xff\x0bXMP DataXMP\x01x\0!\x77\x01a\0")
frame = Image.new("P", (4, 3), 1)
frame.putpalette([c for color in colors for c in color])
second = frame.copy()
second.putpixel((2, 2), 3)
frame.save("animated.gif", save_all=True, append_images=[second], transparency=1, disposal=2)


def png(name, size, depth, kind, rows, *chunks):
    def chunk(id, data):
        return struct.pack(">I", len(data)) + id + data + struct.pack(">I", zlib.crc32(id + data))

    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))
    for id, data in chunks:
        out += chunk(id, data)
    out += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b"")
    open(name, "wb").write(out)


rgb = Image.new("RGB", (4, 3))
rgb.putdata([(17 * i, 255 - 20 * i, 13 * i % 256) for i in range(12)])
gray = rgb.convert("L")
alpha = Image.new("L", (4, 3))
alpha.putdata([0, 1, 128, 255] * 3)
rgba = rgb.copy()
rgba.putalpha(alpha)
gray_alpha = gray.copy()
gray_alpha.putalpha(alpha)
palette = Image.new("P", (4, 3))
palette.putpalette([c for color in colors for c in color])
palette.putdata([i % 4 for i in range(12)])

rgba.save("rgba.png")
gray_alpha.save("gray-alpha.png")
palette.save("palette.png")
palette.save("palette-transparent.png", transparency=bytes([0, 128, 255, 3]))
gray.convert("1").save("one-bit.png")
gray.save("gray-transparent.png", transparency=gray.getpixel((1, 1)))
rgb.save("rgb-transparent.png", transparency=rgb.getpixel((1, 1)))
png("rgb-16.png", (2, 1), 16, 2, [struct.pack(">6H", 0x1234, 0x56ff, 0xff00, 0x00ff, 0x8000, 0xffff)])
png("rgba-16.png", (2, 1), 16, 6, [struct.pack(">8H", 0x1234, 0x56ff, 0xff00, 0, 0x00ff, 0x8000, 0xffff, 0x4000)])
png("gray-alpha-16.png", (2, 1), 16, 4, [struct.pack(">4H", 0x12ff, 0, 0xff00, 0x8000)])
png("palette-2-bit.png", (4, 1), 2, 3, [b"\x1b"], (b"PLTE", b"".join(bytes(c) for c in colors)))



def bmp(name, bits, colors, row):
    row += b"\0" * (-len(row) % 4)
    at = 54 + 4 * len(colors)
    out = b"BM" + struct.pack("<IHHI", at + len(row), 0, 0, at)
    out += struct.pack("<IiiHHIIiiII", 40, 5, 1, 1, bits, 0, len(row), 0, 0, len(colors), 0)
    open(name, "wb").write(out + b"".join(bytes([b, g, r, 0]) for r, g, b in colors) + row)


bmp("beyond-palette.bmp", 8, colors, bytes([0, 3, 4, 200, 255]))
bmp("beyond-palette-4-bit.bmp", 4, colors, b"\x03\x4f\x10")
bmp("gray-beyond-palette.bmp", 8, [(i, i, i) for i in range(4)], bytes([0, 3, 4, 200, 255]))
gray.convert("1").save("one-bit.bmp")
palette.save("palette.bmp")
gray.save("gray.bmp")
rgb.save("rgb.bmp")
rgba.save("rgba.bmp")
for name, image, options in [
    ("gray", gray, {}), ("rgb", rgb, {"compression": "tiff_lzw"}), ("rgba", rgba, {}), ("palette", palette, {}),
    ("one-bit", gray.convert("1"), {}), ("deflate", rgb, {"compression": "tiff_adobe_deflate"}),
]:
    image.save(name + ".tif", **options)
text = rgb.resize((40, 9)).convert("1")
for name in ["group3", "group4"]:
    text.save(name + ".tif", compression=name)
    text.save(name + "-white-is-zero.tif", compression=name, tiffinfo={262: 0})
    text.save(name + "-fill-order.tif", compression=name, tiffinfo={266: 2})

large = rgb.resize((16, 16), Image.BICUBIC)
large.save("444.jpg", quality=95, subsampling=0)
large.save("420.jpg", quality=95, subsampling=2)
large.save("progressive.jpg", quality=95, subsampling=0, progressive=True)
large.convert("CMYK").save("cmyk.jpg", quality=95)
exif = Image.Exif()
exif[0x112] = 6  # turned by 90 degrees: not applied
large.crop((0, 0, 16, 8)).save("turned.jpg", quality=95, subsampling=0, exif=exif)

rgba.save("rgba.webp", lossless=True, exact=True)
rgb.save("lossless-xmp.webp", lossless=True, xmp=b"<x/>")
large.save("lossy-xmp.webp", quality=95, xmp=b"<x/>")
large_alpha = large.copy()
large_alpha.putalpha(alpha.resize((16, 16)))
large_alpha.save("lossy-alpha.webp", quality=95, exact=True)


def chunk(id, data):
    return id + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def webp_animation(name, canvas, at, frame, **options):
    out = io.BytesIO()
    frame.save(out, "WEBP", **options)
    data = out.getvalue()[12:]
    u24 = lambda n: struct.pack("<I", n)[:3]
    anmf = b"".join(u24(n) for n in (at[0] // 2, at[1] // 2, frame.width - 1, frame.height - 1, 100)) + b"\0" + data
    body = b"WEBP" + chunk(b"VP8X", bytes([0x12, 0, 0, 0]) + u24(canvas[0] - 1) + u24(canvas[1] - 1))
    body += chunk(b"ANIM", struct.pack("<IH", 0xFF112233, 0)) + 2 * chunk(b"ANMF", anmf)
    open(name, "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)


webp_animation("animated.webp", (4, 3), (0, 0), rgb, lossless=True)
webp_animation("animated-part.webp", (8, 6), (2, 2), rgb, lossless=True)
webp_animation("animated-lossy.webp", (20, 16), (2, 0), large, quality=95)

for name, text in {
    "plain.pbm": b"P1\n# a comment\n3 2\n101\n0 1 0\n",
    "raw.pbm": b"P4 9 2\n\xaa\x80\x55\x00",
    "plain.pgm": b"P2 3 2 10\n0 1 3 5 9 10\n",
    "raw.pgm": b"P5\n3 1\n# largest\n255\n\x00\x80\xff",
    "plain.ppm": b"P3\n2 1\n15\n0 7 15  1 2 3\n",
    "raw.ppm": b"P6 2 1 255\n\x01\x02\x03\xff\x00\x80",
    "raw-100.ppm": b"P6 2 1 100\n\x01\x02\x03\x64\x00\x32",
    "raw-16.ppm": b"P6 2 1 65535\n" + struct.pack(">6H", 0x0080, 0x0081, 0xff7f, 0xffff, 0x8000, 0x1234),
}.items():
    open(name, "wb").write(text)

shown = {}
for name in sorted(set(glob.glob("*")) - {"make.py", "pillow.json"}):
    image = Image.open(name).convert("RGB")
    shown[name] = {"width": image.width, "height": image.height, "rgb": image.tobytes().hex()}
with open("pillow.json", "w") as file:
    file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in shown.items()) + "\n}\n")
