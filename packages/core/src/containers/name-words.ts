/** Words for invented container names. */

export const adjectives: readonly string[] = (
  'able agile airy amber ample apt arctic artful autumn avid balmy bold brave breezy bright brisk broad bubbly calm ' +
  'candid cheery civil clear clever cosy crisp curious daring dapper dawn deft dewy eager earnest easy elated fair ' +
  'famous fancy fervent festive fine fleet fluent fond frank fresh frosty gallant gentle gifted glad gleaming golden ' +
  'grand great hardy hasty hearty honest hopeful humble ideal inventive jaunty jolly jovial joyful keen kind lively ' +
  'lucid lucky lunar mellow merry mighty mild misty modest neat nimble noble noted open patient placid playful plucky ' +
  'polite prime proud prudent quaint quick quiet rapid ready regal robust rosy rustic sage serene sharp shiny silent ' +
  'silver sincere sleek smart snug solar solid sound spry stable stellar sturdy subtle sunny super swift tender tidy ' +
  'tranquil trusty upbeat valiant vast verdant vivid warm wise witty worthy zealous zesty'
).split(' ')

export const surnames: readonly string[] = (
  'abel agnesi aiken alberti alvarez ampere anning arago avogadro babbage backus banach bardeen bartik bell bernoulli ' +
  'bessel bethe blackwell bohm boole borg bose bragg brahe brattain brewster burnell cantor carnot carson cauchy ' +
  'cavendish celsius cerf chandra chatelet chern church clarke codd conway coulomb curie cuvier dalton darwin davies ' +
  'dedekind descartes dijkstra dirac doppler edison eilenberg einstein engelbart erdos euclid euler faraday fermat ' +
  'fermi feynman fibonacci fleming fourier franklin fresnel galilei galois gauss germain gibbs godel goodall gosling ' +
  'hahn halley hamilton hawking heisenberg herschel hertz hilbert hodgkin hoover hopper hubble huygens hypatia ' +
  'jacobi johnson joule kahn kalman kay kepler khorana kilby knuth kowalevski lagrange lalande lamarr lamport ' +
  'laplace leavitt lebesgue legendre leibniz lie linnaeus liskov lorentz lovelace lumiere marconi maxwell mayer ' +
  'mccarthy meitner mendel mendeleev milner minsky mirzakhani moore morse naur nernst newton nobel noether ohm oort ' +
  'oppenheimer pascal pasteur pauli payne penrose perlman planck poincare poisson ptolemy pythagoras raman rayleigh ' +
  'riemann ritchie roentgen rubin rutherford sagan salk sammet schrodinger shannon sinoussi snyder somerville stokes ' +
  'swirles tesla thales thompson torvalds turing tycho vaughan vieta villani volta wallis watt weil wheeler wien ' +
  'wilkes williams wing wirth wozniak wright wu yalow yonath zeeman zuse'
).split(' ')
