/** How the other parts (images, networks, volumes) tell what happened; the event bus of core implements it. */

export interface EngineEvent {
  type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder'
  /** Docker's action name, e.g. `create`, `pull`, `health_status: healthy`. */
  action: string
  actorId: string
  attributes?: Readonly<Record<string, string>>
}

export interface EventPublisher {
  /** Numbered, delivered to listeners now, and stored with the next commit or at the end of this turn. */
  publish(event: EngineEvent): void
}
