# Reads a layer by each of Perl's readers: perl read.pl LAYER. Prints what read.py prints.
use strict;
use warnings;
use Compress::Zlib ();
use Digest::SHA qw(sha256_hex);
use IO::Uncompress::AnyInflate ();
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use IO::Zlib ();
use Archive::Tar ();

my ($path) = @ARGV;
open my $file, '<:raw', $path or die "$path: $!";
my $layer = do { local $/; <$file> };

sub by_member_function { return Compress::Zlib::memGunzip(my $copy = $layer) // die "no answer\n" }

sub by_gzopen {
    my $gz = Compress::Zlib::gzopen($path, 'rb') or die "cannot open\n";
    my ($all, $piece) = ('', '');
    $all .= $piece while $gz->gzread($piece, 65536) > 0;
    return $all;
}

sub by_gunzip { gunzip(\$layer => \my $all) or die "$GunzipError\n"; return $all }

sub by_any_inflate { IO::Uncompress::AnyInflate::anyinflate(\$layer => \my $all) or die "no answer\n"; return $all }

sub by_archive_tar {
    my $tar = Archive::Tar->new;
    $tar->read($path, 1) or die $tar->error . "\n";
    return sha256_hex(join '', sort map {
        my $name = $_->full_path;
        $name =~ s{/$}{};
        $name . ' ' . sha256_hex($_->is_file ? ($_->get_content // '') : '') . "\n"
    } $tar->get_files);
}

my $perl = sprintf 'Perl %vd', $^V;
for (
    ['Compress::Zlib memGunzip', 'tar', sub { sha256_hex(by_member_function()) }],
    ['Compress::Zlib gzopen', 'tar', sub { sha256_hex(by_gzopen()) }],
    ['IO::Uncompress::Gunzip', 'tar', sub { sha256_hex(by_gunzip()) }],
    ['IO::Uncompress::AnyInflate', 'tar', sub { sha256_hex(by_any_inflate()) }],
    ['Archive::Tar', 'files', \&by_archive_tar],
) {
    my ($reader, $kind, $read) = @$_;
    my $digest = eval { $read->() } // '';
    my $error = $@ =~ s/["\\\n]/ /gr;
    print qq({"reader": "$reader", "version": "$perl", "kind": "$kind", "digest": "$digest", "error": "$error"}\n);
}
