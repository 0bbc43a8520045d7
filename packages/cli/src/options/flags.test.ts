import t from 'tap'
import {
  bool,
  FlagError,
  HelpRequested,
  int,
  list,
  map,
  parseFlags,
  parseInteger,
  splitCsv,
  string,
  strings,
} from './flags.ts'

const specs = {
  all: bool('a', ''),
  last: int('n', '', -1),
  name: string('', '', '', { alias: ['nom'] }),
  label: list('l', ''),
  quiet: bool('q', ''),
  opt: map('o', ''),
  subnet: strings('', ''),
  trust: bool('', '', true),
}

t.test('long, short, grouped and attached values', async (t) => {
  const { values, args, given } = parseFlags(specs, [
    '-aq',
    '-n5',
    '--name=x',
    '-l',
    'a',
    '--label=b',
    'one',
    '-o',
    'k=v=w',
    '--subnet',
    'a,b',
    '--subnet=c',
    'two',
  ])
  t.match(values, {
    all: true,
    quiet: true,
    last: 5,
    name: 'x',
    label: ['a', 'b'],
    opt: { k: 'v=w' },
    subnet: ['a', 'b', 'c'],
    trust: true,
  })
  t.same(args, ['one', 'two'])
  t.ok(given.has('all'))
  t.notOk(given.has('trust'))
})

t.test('another name sets the same flag', async (t) => {
  t.equal(parseFlags(specs, ['--nom', 'y']).values.name, 'y')
})

t.test('a switch takes a value only after an equals sign', async (t) => {
  t.equal(parseFlags(specs, ['--trust=false']).values.trust, false)
  t.same(parseFlags(specs, ['--all', 'false']).args, ['false'])
  t.equal(parseFlags(specs, ['-a=false']).values.all, false)
})

t.test('two dashes end the flags', async (t) => {
  t.same(parseFlags(specs, ['-a', '--', '-q', '--', 'x']).args, ['-q', '--', 'x'])
})

t.test('without interspersing, everything after the first argument is left alone', async (t) => {
  const parsed = parseFlags(specs, ['-a', 'image', '-q', '--name', 'x'], false)
  t.same(parsed.args, ['image', '-q', '--name', 'x'])
  t.equal(parsed.values.quiet, false)
})

t.test('a single dash is an argument', async (t) => {
  t.same(parseFlags(specs, ['-']).args, ['-'])
})

t.test('mistakes are told in the words of pflag', async (t) => {
  const message = (...argv: string[]) => {
    try {
      parseFlags(specs, argv)
      return ''
    } catch (error) {
      return error instanceof FlagError ? error.message : String(error)
    }
  }
  t.equal(message('--foo'), 'unknown flag: --foo')
  t.equal(message('-aZq'), "unknown shorthand flag: 'Z' in -Zq")
  t.equal(message('--name'), 'flag needs an argument: --name')
  t.equal(message('-an'), "flag needs an argument: 'n' in -n")
  t.equal(
    message('-n', 'x'),
    'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax',
  )
  t.equal(
    message('--all=maybe'),
    'invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  )
  t.equal(message('--=x'), 'bad flag syntax: --=x')
  t.equal(message('--constructor'), 'unknown flag: --constructor')
})

t.test('help is asked for by both spellings', async (t) => {
  const asked = (flag: string) => {
    try {
      parseFlags(specs, [flag])
      return undefined
    } catch (error) {
      return error instanceof HelpRequested ? error.deprecatedShort : error
    }
  }
  t.equal(asked('--help'), false)
  t.equal(asked('-h'), true)
})

t.test('integers follow Go', async (t) => {
  t.equal(parseInteger('0x10'), 16)
  t.equal(parseInteger('010'), 8)
  t.equal(parseInteger('-5'), -5)
  t.equal(parseInteger('1_000'), 1000)
  t.throws(() => parseInteger('1.5'), /invalid syntax/)
  t.throws(() => parseInteger('9223372036854775808'), /out of range/)
})

t.test('comma-separated values with quotes', async (t) => {
  t.same(splitCsv('a,"b,c","d""e",'), ['a', 'b,c', 'd"e', ''])
  t.throws(() => splitCsv('a"b'), /bare/)
  t.throws(() => splitCsv('"a'), /quoted-field/)
})
