#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Records the captures of real programs in this folder: a server and a client in two network namespaces joined by one
# veth pair, one small pcap a protocol. Needs root and the Debian packages named in README.md; touches nothing outside
# its own namespaces and a temporary folder. Usage: record.sh OUTDIR [NAME...]
set -euo pipefail

if [ "$(id -u)" -ne 0 ] || [ $# -lt 1 ]; then
    echo "usage (as root): $0 OUTDIR [NAME...]" >&2
    exit 2
fi
# A host name and a /run of our own: no recorded byte names the machine, no namespace or socket is left behind.
if [ -z "${RECORD_INSIDE:-}" ]; then
    RECORD_INSIDE=1 exec unshare --uts --mount "$0" "$@"
fi
hostname recorder
mount -t tmpfs none /run

out=$(realpath "$1")
shift
wanted="$*"
tmp=$(mktemp -d)
srv=wsp-srv-$$
cli=wsp-cli-$$
S4=192.0.2.1
C4=192.0.2.2
S6=2001:db8::1
C6=2001:db8::2
MAX_FILE=40960
export PATH=$PATH:/usr/sbin:/sbin
pids=()
dump=

cleanup()
{
    local p
    for p in "${pids[@]}" $dump; do
        kill "$p" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    ip netns del "$srv" 2>/dev/null || true
    ip netns del "$cli" 2>/dev/null || true
    rm -rf "$tmp"
}
trap cleanup EXIT

on_srv() { ip netns exec "$srv" timeout 60 "$@"; }
on_cli() { ip netns exec "$cli" timeout 20 "$@"; }

# Starts a server in the background; it dies with the script, and after 60 s at the latest.
serve()
{
    ip netns exec "$srv" timeout 60 "$@" >"$tmp/serve.log" 2>&1 &
    pids+=($!)
    sleep 1
}

make_link()
{
    ip netns add "$srv"
    ip netns add "$cli"
    ip link add wsps0 netns "$srv" address 02:00:5e:10:00:01 type veth \
        peer name wspc0 netns "$cli" address 02:00:5e:10:00:02
    ip -n "$srv" link set lo up
    ip -n "$cli" link set lo up
    ip -n "$srv" addr add $S4/24 dev wsps0
    ip -n "$cli" addr add $C4/24 dev wspc0
    ip -n "$srv" addr add $S6/64 dev wsps0 nodad || true
    ip -n "$cli" addr add $C6/64 dev wspc0 nodad || true
    ip -n "$srv" link set wsps0 up
    ip -n "$cli" link set wspc0 up
    # Whole frames with finished checksums, as a cable would carry them.
    on_srv ethtool -K wsps0 tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    on_cli ethtool -K wspc0 tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    sleep 2 # IPv6 router solicitations and duplicate detection are over
}

# record NAME FUNCTION: runs the client function while tcpdump writes NAME.pcap. Neighbours are forgotten first, so
# every file starts with address resolution.
record()
{
    local name=$1 size
    if [ -n "$wanted" ] && [[ " $wanted " != *" $name "* ]]; then
        return 0
    fi
    ip -n "$srv" neigh flush all
    ip -n "$cli" neigh flush all
    ip netns exec "$cli" timeout 60 tcpdump -Z root -q -U -n -s 0 -i wspc0 \
        -w "$tmp/$name.pcap" 2>"$tmp/tcpdump.log" &
    dump=$!
    sleep 1
    "$2" >"$tmp/$name.log" 2>&1 || { echo "$name: the client failed:" >&2; tail -5 "$tmp/$name.log" >&2; exit 1; }
    sleep 1
    kill -INT "$dump"
    wait "$dump" || true
    dump=
    size=$(stat -c %s "$tmp/$name.pcap")
    if [ "$size" -gt $MAX_FILE ]; then
        echo "$name.pcap has $size bytes, more than $MAX_FILE" >&2
        exit 1
    fi
    install -m 0644 "$tmp/$name.pcap" "$out/$name.pcap"
    echo "$name.pcap $size"
}

web_server()
{
    mkdir -p "$tmp/www" "$tmp/nginx"
    for i in $(seq 1 60); do
        echo "line $i of a page made for the recording of a test capture"
    done >"$tmp/www/page.txt"
    printf '<!doctype html><title>test</title><p>A short page.\n' >"$tmp/www/index.html"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=www.example.org \
        -addext subjectAltName=DNS:www.example.org -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
    cat >"$tmp/nginx.conf" <<CONF
user root;
pid $tmp/nginx/pid;
error_log $tmp/nginx/error.log;
events { worker_connections 64; }
http {
    access_log off;
    types { text/html html; text/plain txt; }
    client_body_temp_path $tmp/nginx; proxy_temp_path $tmp/nginx; fastcgi_temp_path $tmp/nginx;
    uwsgi_temp_path $tmp/nginx; scgi_temp_path $tmp/nginx;
    root $tmp/www;
    server { listen 80; listen [::]:80; }
    server {
        listen 443 ssl http2;
        listen [::]:443 ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $tmp/cert.pem;
        ssl_certificate_key $tmp/key.pem;
    }
}
CONF
    chmod 0755 "$tmp"
    serve nginx -p "$tmp/nginx" -c "$tmp/nginx.conf" -g 'daemon off;'
}

resolve() { echo "www.example.org:$1:$2"; }

web_http()
{
    on_cli curl -sS --resolve "$(resolve 80 $S4)" -o /dev/null http://www.example.org/ http://www.example.org/page.txt
    on_cli curl -sS --resolve "$(resolve 80 $S4)" -o /dev/null -d name=value http://www.example.org/missing
    on_cli curl -sS --resolve "$(resolve 80 "[$S6]")" -o /dev/null -I http://www.example.org/page.txt
}

web_tls()
{
    on_cli curl -sS --tlsv1.3 --http2 --cacert "$tmp/cert.pem" --resolve "$(resolve 443 $S4)" \
        -o /dev/null https://www.example.org/page.txt
    on_cli curl -sS --tls-max 1.2 --http1.1 --cacert "$tmp/cert.pem" --resolve "$(resolve 443 "[$S6]")" \
        -o /dev/null https://www.example.org/
}

dns_server()
{
    serve dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --listen-address=$S4,$S6 --bind-interfaces --local=/example.org/ --address=/www.example.org/198.51.100.7 \
        --address=/www.example.org/2001:db8:7::7 --cname=alias.example.org,host.example.org \
        --host-record=host.example.org,198.51.100.8 --mx-host=example.org,mail.example.org,10 \
        --txt-record=example.org,"v=spf1 -all" --ptr-record=7.100.51.198.in-addr.arpa,www.example.org
}

dns_queries()
{
    local q
    for q in "www.example.org A" "www.example.org AAAA" "alias.example.org A" "example.org MX" "example.org TXT" \
        "7.100.51.198.in-addr.arpa PTR" "none.example.org A"; do
        # shellcheck disable=SC2086 # a name and a type, two words
        on_cli dig +tries=1 +time=2 @$S4 $q
    done
    on_cli dig +tries=1 +time=2 +noedns @$S6 www.example.org A
    on_cli dig +tcp +tries=1 +time=2 @$S4 www.example.org A
}

ssh_server()
{
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -C test -f "$tmp/host"
    ssh-keygen -q -t ed25519 -N '' -C test -f "$tmp/user"
    cp "$tmp/user.pub" "$tmp/authorized"
    cat >"$tmp/sshd_config" <<CONF
HostKey $tmp/host
AuthorizedKeysFile $tmp/authorized
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
PrintMotd no
DebianBanner no
Subsystem sftp internal-sftp
CONF
    serve "$(command -v sshd)" -D -e -f "$tmp/sshd_config"
}

ssh_copy()
{
    head -c 3000 /dev/zero | tr '\0' x >"$tmp/copied"
    on_cli scp -F none -q -i "$tmp/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o BatchMode=yes "$tmp/copied" "root@$S4:$tmp/arrived"
    cmp "$tmp/copied" "$tmp/arrived"
}

ntp_server()
{
    printf 'local stratum 3\nallow all\ncmdport 0\npidfile %s/ntp.pid\n' "$tmp" >"$tmp/ntp.conf"
    serve chronyd -x -d -u root -f "$tmp/ntp.conf"
}

# Only asks for the time (-Q): the clock is not touched.
ntp_ask()
{
    printf 'server %s iburst\ncmdport 0\npidfile %s/ntpc.pid\n' $S4 "$tmp" >"$tmp/ntpc.conf"
    on_cli chronyd -Q -t 15 -u root -f "$tmp/ntpc.conf"
}

redis_server()
{
    serve redis-server --bind $S4 --protected-mode no --save '' --appendonly no --dir "$tmp" --port 6379
}

# One connection a command: on a terminal or a pipe redis-cli first fetches 180 KB of command documentation.
redis_commands()
{
    local c
    for c in 'PING' 'SET greeting hello' 'INCR visits' 'HSET user:1 name alice age 30' 'HGETALL user:1' 'GET missing'; do
        # shellcheck disable=SC2086 # a command and its arguments
        on_cli redis-cli -h $S4 $c
    done
    printf 'RPUSH list a b c\r\nLRANGE list 0 -1\r\nNOSUCH command\r\nQUIT\r\n' >"$tmp/inline"
    on_cli curl -sS -m 5 "telnet://$S4:6379" <"$tmp/inline"
}

ping_both()
{
    on_cli ping -n -c 3 -i 0.3 $S4
    on_cli ping -n -c 1 -s 2500 $S4 # two fragments
    on_cli ping -n -c 3 -i 0.3 $S6
    on_cli ping -n -c 1 -s 2500 $S6
}

snmp_server()
{
    cat >"$tmp/snmpd.conf" <<CONF
agentaddress udp:$S4:161
rocommunity public $C4
sysDescr a test agent
sysName agent.example.org
sysLocation nowhere
sysContact nobody@example.org
CONF
    SNMP_PERSISTENT_DIR=$tmp/snmp serve snmpd -f -Lo -C -c "$tmp/snmpd.conf" -I system_mib,sysORTable
}

snmp_ask()
{
    on_cli snmpget -v2c -c public -On $S4 .1.3.6.1.2.1.1.1.0 .1.3.6.1.2.1.1.5.0
    on_cli snmpgetnext -v1 -c public -On $S4 .1.3.6.1.2.1.1.4
    on_cli snmpbulkget -v2c -c public -On -Cr4 $S4 .1.3.6.1.2.1.1.3
}

# Nobody listens: every message is answered with an ICMP port unreachable, as far as the kernel's rate limit allows.
syslog_send()
{
    local i
    for i in 1 2 3; do
        on_cli logger --udp --server $S4 --port 514 -t recorder -p daemon.notice "message $i of a test capture"
        sleep 1.1
    done
}

file_server()
{
    mkdir "$tmp/files" "$tmp/smbd"
    echo "a file of one line" | tee "$tmp/two.txt" >"$tmp/files/one.txt"
    chmod -R a+rwX "$tmp/files"
    cat >"$tmp/smb.conf" <<END
[global]
workgroup = EXAMPLE
netbios name = RECORDER
server role = standalone server
map to guest = Bad User
server min protocol = NT1
client min protocol = NT1
disable netbios = yes
disable spoolss = yes
load printers = no
printing = bsd
smb ports = 445
log file = /dev/null
private dir = $tmp/smbd
lock directory = $tmp/smbd
state directory = $tmp/smbd
cache directory = $tmp/smbd
pid directory = $tmp/smbd
ncalrpc dir = $tmp/smbd/rpc
[files]
path = $tmp/files
guest ok = yes
read only = no
force user = root
END
    serve smbd -F -s "$tmp/smb.conf" --no-process-group
}

# Two dialects: a file put, listed, read and deleted, and one that does not exist. In a third one what shares there are.
file_sessions()
{
    local level
    for level in NT1 SMB2_10; do
        on_cli smbclient -s "$tmp/smb.conf" -N -m $level -p 445 //$S4/files \
            -c "put $tmp/two.txt two.txt; ls; get one.txt /dev/null; del two.txt; get none.txt /dev/null" || [ $? -eq 1 ]
    done
    on_cli smbclient -s "$tmp/smb.conf" -N -m SMB3_11 -p 445 -g -L $S4
}

# A tagged link over the same pair, where the kernel has the vlan device.
vlan_ping()
{
    on_cli ping -n -c 3 -i 0.3 198.51.100.1
}

vlan_link()
{
    ip -n "$srv" link add link wsps0 name tagged type vlan id 42 2>/dev/null || return 1
    ip -n "$cli" link add link wspc0 name tagged type vlan id 42 2>/dev/null || return 1
    ip -n "$srv" addr add 198.51.100.1/24 dev tagged
    ip -n "$cli" addr add 198.51.100.2/24 dev tagged
    ip -n "$srv" link set tagged up
    ip -n "$cli" link set tagged up
    sleep 2
}

make_link
record ping ping_both
web_server
record http web_http
record tls web_tls
dns_server
record dns dns_queries
ssh_server
record ssh ssh_copy
ntp_server
record ntp ntp_ask
redis_server
record redis redis_commands
snmp_server
record snmp snmp_ask
file_server
record smb file_sessions
record syslog syslog_send
if vlan_link; then
    record vlan vlan_ping
else
    echo "vlan.pcap skipped: this kernel has no vlan device" >&2
fi
