# SPDX-License-Identifier: Apache-2.0
"""media.py: calls and streams."""
import time

from core import registry

CODECS = {"PCMU": 0, "PCMA": 8, "G722": 9}


@registry.recipe("sip", protocol="SIP", purpose="call", packages=("sip-tester", "ffmpeg"), v6=False, seconds=120)
def sip(t):
    """Calls between two SIPp: signalling over UDP or TCP, and what ffmpeg sends as RTP both ways while a call lasts."""
    transport = t.draw("transport", "u1", "u1", "t1")
    codec = t.draw("codec", "pcm_mulaw", "pcm_alaw", "g722")
    rtp = t.draw("rtp_port", 10000, 16384, 30000, 40000)
    calls = t.draw_int("calls", 1, 4)
    hold = t.draw_int("seconds", 2, 9)
    t.serve("sipp", "-sn", "uas", "-t", transport, "-i", t.addr, "-p", "5060", "-nostdin", "-timeout", "90s",
            **({"tcp": 5060} if transport == "t1" else {"udp": 5060}))
    t.label("udp", rtp, application="rtp", protocol="RTP")
    t.label("udp", rtp + 2, application="rtp", protocol="RTP")
    t.label("udp", rtp + 1, application="rtcp", protocol="RTCP")
    t.label("udp", rtp + 3, application="rtcp", protocol="RTCP")
    t.begin()
    t.start("sipp", "-sn", "uac", "-t", transport, "-i", t.source(), "-p", "5062", "-m", str(calls), "-r", "1", "-d",
            str(hold * 1000), "-s", t.words.name(), "-nostdin", f"{t.addr}:5060")
    time.sleep(0.5)
    tone = [
        "-f", "lavfi", "-i",
        f"anoisesrc=d={hold}:a=0.2" if t.chance(0.5) else f"sine=f={t.rng.randint(200, 900)}:d={hold}"
    ]
    speak = [
        "ffmpeg", "-loglevel", "error", "-re", *tone, "-ac", "1", "-ar", "16000" if codec == "g722" else "8000", "-c:a",
        codec, "-f", "rtp"
    ]
    far = (t.start(*speak, f"rtp://{t.source()}:{rtp + 2}?localrtpport={rtp}", space="server") if t.draw(
        "talk", "both", "both", "one") == "both" else None)
    t.client(*speak, f"rtp://{t.addr}:{rtp}?localrtpport={rtp + 2}", limit=40)
    if far:
        far.wait(timeout=20)
    time.sleep(1 + calls)


def film(t, seconds, name="film.mp4"):
    """A short film with sound, of a drawn size and rate."""
    size, rate = t.draw("picture", "320x240", "640x360", "854x480"), t.draw_int("kbit", 150, 1500)
    path = str(t.work / name)
    t.sh("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=15:d={seconds}", "-f", "lavfi",
         "-i", f"sine=f=440:d={seconds}", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "30",
         "-b:v", f"{rate}k", "-maxrate", f"{rate}k", "-bufsize", f"{rate}k", "-pix_fmt", "yuv420p", "-c:a", "aac",
         "-b:a", "64k", path)
    return path


@registry.recipe("hls", protocol="HTTP", purpose="streaming", forward=True, packages=("ffmpeg", "nginx-light"),
                 seconds=150)
def hls(t):
    """Segments of a film from nginx, fetched by a player at the speed of the film."""
    tls = t.draw("tls", "no", "yes") == "yes"
    path = film(t, t.draw_int("seconds", 6, 24))
    t.folder("hls")
    t.sh("ffmpeg", "-loglevel", "error", "-i", path, "-c", "copy", "-f", "hls", "-hls_time",
         str(t.draw("segment", 1, 2, 4)), "-hls_list_size", "0",
         *t.draw("kind", ("-hls_segment_type", "mpegts"), ("-hls_segment_type", "fmp4")), str(t.work / "hls/list.m3u8"))
    port = 443 if tls else 80
    lines = (
        f"listen 0.0.0.0:{port}{' ssl' if tls else ''}; listen [::]:{port}{' ssl' if tls else ''}; root {t.work}/hls;")
    if tls:
        pki = t.certificate()
        lines += f" ssl_certificate {pki['cert']}; ssl_certificate_key {pki['key']};"
        t.carrier = "tls"
    config = t.write(
        "nginx.conf", f"error_log /dev/null;\npid /run/nginx.pid;\nevents {{}}\nhttp {{ access_log off; "
        f"include /etc/nginx/mime.types; server {{ {lines} }} }}\n")
    t.serve("nginx", "-c", config, "-g", "daemon off;", tcp=port)
    t.begin()
    t.client("ffmpeg", "-loglevel", "error", "-re", *(["-tls_verify", "0"] if tls else []), "-i",
             f"http{'s' if tls else ''}://{t.host}:{port}/list.m3u8", "-c", "copy", "-f", "null", "-", limit=60)


@registry.recipe("rtsp", protocol="RTSP", purpose="streaming", packages=("ffmpeg",), v6=False, seconds=120)
def rtsp(t):
    """A camera that announces its stream and sends it, RTP beside RTSP over UDP or inside of it over TCP."""
    path = film(t, t.draw_int("seconds", 5, 15))
    way = t.draw("transport", "udp", "udp", "tcp")
    t.serve("ffmpeg", "-loglevel", "error", "-rtsp_flags", "listen", "-i", f"rtsp://{t.addr}:8554/{t.words.name()}",
            "-c", "copy", "-f", "null", "-", tcp=8554)
    t.begin()
    t.client("ffmpeg", "-loglevel", "error", "-re", "-i", path, "-c", "copy", "-f", "rtsp", "-rtsp_transport", way,
             f"rtsp://{t.addr}:8554/live", limit=60)
    for port in range(5000, 5100, 2):
        t.label("udp", port, application="rtp", protocol="RTP")
        t.label("udp", port + 1, application="rtcp", protocol="RTCP")


@registry.recipe("rtp-video", application="rtp", protocol="RTP", purpose="streaming", packages=("ffmpeg",), v6=False,
                 seconds=120)
def rtp_video(t):
    """A film as MPEG-TS in RTP, or raw over UDP."""
    path = film(t, t.draw_int("seconds", 4, 12))
    port = t.draw("port", 1234, 5004, 20000)
    t.serve(*t.helper("udp_sink.py"), str(port), udp=port)
    t.begin()
    t.client("ffmpeg", "-loglevel", "error", "-re", "-i", path, "-c", "copy", "-f", "rtp_mpegts",
             f"rtp://{t.addr}:{port}?pkt_size=1316", limit=60)
    t.label("udp", port + 1, application="rtcp", protocol="RTCP")
