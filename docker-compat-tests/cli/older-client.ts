/**
 * Where the docker client that Debian 12 packages (20.10) and the newest one cannot both be equalled: docker-ts says what
 * the newest says. A case that is not named here has to be the same with both.
 */

const words = 'its words are of another release'
const usage = 'it prints usage in another form'
const json = 'its --format does not know json'
const fields = 'it speaks API 1.41, whose answers have other fields'
const flags = 'a flag is not there yet'

/** Name of a case to the reason why a client before 28 is not compared on it. */
export const differsBefore28: Readonly<Record<string, string>> = {
  'run of a missing program exits 127': usage,
  'run of a directory exits 126': usage,
  'run with an id file that exists is refused': usage,
  'run --name in use is refused': usage,
  'run -d with -a is refused': words,
  'run --rm with a restart policy is refused': words,
  'rename and rm': words,
  'rm -f of what is missing succeeds': words,
  'port lists published ports': words,
  'container prune asks first': 'its prune that is declined succeeds',
  'images --tree shows platforms': flags,
  'images --tree refuses other forms': flags,
  'tag refuses bad names': words,
  'rmi of what is missing': words,
  'save refuses what is missing': words,
  'commit makes an image': words,
  'image inspect shows raw JSON': fields,
  'image prune asks and prunes': 'its prune that is declined succeeds',
  'pulls of bad names': words,
  'run of a missing image without pulling': usage,
  'volume create, ls, inspect, rm': words,
  'volume prune': flags,
  'volume prune asks': flags,
  'network ls and inspect': fields,
  'network errors': flags,
  'system df': json,
  'system df -v': 'it shows sizes of images with more digits',
  'system prune asks': words,
  info: 'it prints a heading for labels that are not there',
  'info formats': words,
  'version shows the daemon': fields,
  'events as JSON and by template': json,
  'cp refuses what it must': words,
  contexts: flags,
  'contexts beside DOCKER_HOST': flags,
  'unreachable daemons': words,
  'ps shows tables, JSON and templates': json,
  'inspect shows raw JSON': fields,
  'inspect prints JSON of parts': fields,
  'template errors': 'it was built with an older text/template',
  'images as JSON and by template': json,
  'networks and volumes as JSON and by template': json,
  'image inspect by template': fields,
  'inspect of several kinds at once': words,
  'unknown commands and flags': usage,
  'wrong numbers of arguments': usage,
  'bad values of flags': usage,
  'options that contradict each other': usage,
  'bad names of images': words,
  'what is missing': words,
  'mistakes in time and filters': words,
  'deprecated shorthand of help': flags,
}
