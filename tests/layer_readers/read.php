<?php
// Reads a layer by each of PHP's readers: php read.php LAYER. Prints what read.py prints.

$path = $argv[1];
$layer = file_get_contents($path);

function in_pieces(string $layer): string
{
    $context = inflate_init(ZLIB_ENCODING_GZIP);
    $all = '';
    foreach (str_split($layer, 65536) as $piece) {
        $all .= inflate_add($context, $piece);
    }
    return $all;
}

function by_phar(string $path): string
{
    $lines = [];
    foreach (new RecursiveIteratorIterator(new PharData($path), RecursiveIteratorIterator::SELF_FIRST) as $file) {
        $name = preg_replace('|^phar://.*?\.tar\.gz/|', '', $file->getPathname());
        $lines[] = $name . ' ' . hash('sha256', $file->isFile() ? file_get_contents($file->getPathname()) : '') . "\n";
    }
    sort($lines, SORT_STRING);
    return hash('sha256', implode('', $lines));
}

$readers = [
    'gzdecode' => ['tar', fn () => hash('sha256', gzdecode($layer))],
    'inflate_add' => ['tar', fn () => hash('sha256', in_pieces($layer))],
    'compress.zlib://' => ['tar', fn () => hash('sha256', file_get_contents("compress.zlib://$path"))],
    'PharData' => ['files', fn () => by_phar($path)],
];
foreach ($readers as $reader => [$kind, $read]) {
    $answer = ['reader' => $reader, 'version' => 'PHP ' . PHP_VERSION, 'kind' => $kind, 'digest' => '', 'error' => ''];
    try {
        $answer['digest'] = $read();
    } catch (Throwable $error) {
        $answer['error'] = $error->getMessage();
    }
    echo json_encode($answer, JSON_UNESCAPED_SLASHES), "\n";
}
