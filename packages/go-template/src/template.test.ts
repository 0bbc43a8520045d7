/** Templates against what Go prints; the comparison with docker itself is in the compat tests. */
import t from 'tap'
import { compileTemplate } from './execute.ts'
import { GoFloat, GoStruct, type GoValue } from './values.ts'

const data: GoValue = new GoStruct({
  typeName: 'test.Thing',
  fields: new Map<string, GoValue>([
    ['Name', 'web'],
    ['Cmd', ['sh', '-c']],
    ['Empty', []],
    [
      'Labels',
      new Map<string, GoValue>([
        ['b', '2'],
        ['a', '1'],
      ]),
    ],
    ['Pid', 42],
    ['Big', 9007199254740993n],
    ['Ratio', new GoFloat(0.5)],
    ['On', true],
    ['None', null],
    [
      'State',
      new GoStruct({
        typeName: 'test.State',
        fields: new Map<string, GoValue>([
          ['Code', 0],
          ['Text', 'up'],
        ]),
      }),
    ],
  ]),
})

const render = (source: string): string => compileTemplate(source).render(data)

t.test('values print as in Go', async (t) => {
  t.equal(
    render('{{.Name}} {{.Cmd}} {{.Labels}} {{.Pid}} {{.Big}} {{.Ratio}} {{.On}} {{.None}} {{.State}} {{.Empty}}'),
    'web [sh -c] map[a:1 b:2] 42 9007199254740993 0.5 true <nil> {0 up} []',
  )
  t.equal(
    render('{{json .Labels}} {{json .State}} {{json .Big}} {{json .None}}'),
    '{"a":"1","b":"2"} {"Code":0,"Text":"up"} 9007199254740993 null',
  )
})

t.test('control structures', async (t) => {
  t.equal(render('{{if .None}}a{{else if .On}}b{{else}}c{{end}}'), 'b')
  t.equal(render('{{range $i, $e := .Cmd}}{{$i}}={{$e}};{{end}}{{range .Empty}}x{{else}}none{{end}}'), '0=sh;1=-c;none')
  t.equal(render('{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}'), 'a1b2')
  t.equal(render('{{range .Cmd}}{{if eq . "-c"}}{{break}}{{end}}{{.}}{{end}}'), 'sh')
  t.equal(render('{{range .Cmd}}{{if eq . "sh"}}{{continue}}{{end}}{{.}}{{end}}'), '-c')
  t.equal(
    render('{{with .State}}{{.Text}}{{$.Name}}{{else}}no{{end}}{{with .None}}x{{else with .Name}}{{.}}{{end}}'),
    'upwebweb',
  )
  t.equal(render('{{$x := 1}}{{if .On}}{{$x = 2}}{{end}}{{$x}}'), '2')
  t.equal(render('{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}{{block "u" .Pid}}[{{.}}]{{end}}'), '<web>[42]')
  t.equal(render('a  {{- /* note */ -}}  b {{- .Name -}} c'), 'abwebc')
})

t.test('functions, pipelines and parentheses', async (t) => {
  t.equal(render('{{.Name | upper | printf "%s-%s" "x"}} {{(index .Cmd 0) | len}} {{(.State).Text}}'), 'x-WEB 2 up')
  t.equal(
    render('{{index .Labels "a"}} {{index .Labels "zz"}}| {{index .Cmd 1}} {{slice .Name 1 3}} {{slice .Cmd 1}}'),
    '1 | -c eb [-c]',
  )
  t.equal(
    render('{{eq 1 2 1}} {{ne .Name "x"}} {{lt 1 2}} {{ge 1.5 1.5}} {{and 1 0}} {{or 0 "y"}} {{not .Empty}}'),
    'true true true true 0 y true',
  )
  t.equal(
    render('{{join .Cmd "+"}} {{split "a.b" "."}} {{title "ab cd"}} {{pad "x" 1 1}}| {{truncate "héllo" 2}}'),
    'sh+-c [a b] Ab Cd  x | hé',
  )
  t.equal(render('{{print 1 2 "a" "b" 3}} {{println "x" 1}}'), '1 2ab3 x 1\n')
  t.equal(
    render('{{printf "%d|%5s|%-5s|%05d|%q|%x|%t|%.2f|%v|%%" 7 "a" "b" 42 "q" 255 true 1.234 nil}}'),
    '7|    a|b    |00042|"q"|ff|true|1.23|<nil>|%',
  )
})

t.test('mistakes in the source', async (t) => {
  const cases: [string, string][] = [
    ['{{', 'template: :1: unclosed action'],
    ['a\n{{.Name', 'template: :2: unclosed action'],
    ['{{end}}', 'template: :1: unexpected {{end}}'],
    ['{{if}}x{{end}}', 'template: :1: missing value for if'],
    ['{{if .On}}', 'template: :1: unexpected EOF'],
    ['{{nope}}', 'template: :1: function "nope" not defined'],
    ['{{"x}}', 'template: :1: unterminated quoted string'],
    ['{{$x}}', 'template: :1: undefined variable "$x"'],
    ['{{)}}', 'template: :1: unexpected right paren'],
    ['{{(1}}', 'template: :1: unclosed left paren'],
    ['{{1 | 2}}', 'template: :1: non executable command in pipeline stage 2'],
    ['{{.Name}', "template: :1: bad character U+007D '}'"],
    ['{{/* x', 'template: :1: unclosed comment'],
    ['{{break}}', 'template: :1: {{break}} outside {{range}}'],
  ]
  for (const [source, message] of cases) t.throws(() => compileTemplate(source), { message }, source)
})

t.test('mistakes while running name the place', async (t) => {
  const cases: [string, string][] = [
    ['{{.Foo}}', 'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type test.Thing'],
    ['{{.State.Foo}}', 'template: :1:8: executing "" at <.State.Foo>: can\'t evaluate field Foo in type test.State'],
    ['{{index .Cmd 9}}', 'template: :1:2: executing "" at <index .Cmd 9>: error calling index: index out of range: 9'],
    ['{{eq 1 "a"}}', 'template: :1:2: executing "" at <eq 1 "a">: error calling eq: incompatible types for comparison'],
    ['{{upper .Pid}}', 'template: :1:8: executing "" at <.Pid>: wrong type for value; expected string; got int'],
    ['{{upper}}', 'template: :1:2: executing "" at <upper>: wrong number of args for upper: want 1 got 0'],
  ]
  for (const [source, message] of cases) t.throws(() => render(source), { message }, source)
})

t.test('a template that calls itself ends', async (t) => {
  t.throws(() => render('{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}'), /exceeded maximum template depth/)
})
