# Reads a layer by each of Ruby's readers: ruby read.rb LAYER. Prints what read.py prints.
require 'digest'
require 'json'
require 'rubygems/package'
require 'stringio'
require 'zlib'

LAYER = File.binread(ARGV[0])

def digest_of_files(reader)
  lines = []
  Gem::Package::TarReader.new(reader).each do |entry|
    lines << "#{entry.full_name.delete_suffix('/')} #{Digest::SHA256.hexdigest(entry.file? ? entry.read.to_s : '')}\n"
  end
  Digest::SHA256.hexdigest(lines.sort.join)
end

{
  'Zlib.gunzip' => ['tar', -> { Digest::SHA256.hexdigest(Zlib.gunzip(LAYER)) }],
  'Zlib::GzipReader' => ['tar', -> { Digest::SHA256.hexdigest(Zlib::GzipReader.new(StringIO.new(LAYER)).read) }],
  'Zlib::Inflate' => ['tar', -> { Digest::SHA256.hexdigest(Zlib::Inflate.new(31).inflate(LAYER)) }],
  'Gem::Package::TarReader' => ['files', -> { digest_of_files(Zlib::GzipReader.new(StringIO.new(LAYER))) }],
}.each do |reader, (kind, read)|
  answer = { reader: reader, version: "Ruby #{RUBY_VERSION}", kind: kind, digest: '', error: '' }
  begin
    answer[:digest] = read.call
  rescue StandardError => error
    answer[:error] = "#{error.class}: #{error.message}"
  end
  puts JSON.generate(answer)
end
